// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/libvirt_client.hpp"

#include <libvirt/virterror.h>

namespace sfg::bench {
namespace {

struct VolumeRelease {
    void operator()(virStorageVolPtr volume) const { virStorageVolFree(volume); }
};
using Volume = std::unique_ptr<virStorageVol, VolumeRelease>;

Volume look_up(virStoragePoolPtr pool, const std::string& name) {
    Volume volume(virStorageVolLookupByName(pool, name.c_str()));
    if (!volume) throw LibvirtError("look up volume " + name);
    return volume;
}

}  // namespace

LibvirtError::LibvirtError(const std::string& what_was_tried)
    : std::runtime_error("cannot " + what_was_tried + ": " + virGetLastErrorMessage()) {}

Client::Client(const std::string& uri) {
    // Errors are told where they are caught, not printed by libvirt as well.
    virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
    connection_.reset(virConnectOpen(uri.c_str()));
    if (!connection_) throw LibvirtError("connect to " + uri);
}

ScratchPool::ScratchPool(const Client& client, const std::string& xml)
    : pool_(virStoragePoolCreateXML(client.get(), xml.c_str(), VIR_STORAGE_POOL_CREATE_NORMAL)) {
    if (pool_ == nullptr) throw LibvirtError("start the pool " + xml);
}

ScratchPool::~ScratchPool() {
    virStoragePoolDestroy(pool_);
    virStoragePoolFree(pool_);
}

void ScratchPool::create(const std::string& xml) const {
    if (!Volume(virStorageVolCreateXML(pool_, xml.c_str(), 0)))
        throw LibvirtError("create the volume " + xml);
}

void ScratchPool::remove(const std::string& volume) const {
    // A client has the volume at hand by name, so finding it belongs to the operation.
    if (virStorageVolDelete(look_up(pool_, volume).get(), 0) < 0)
        throw LibvirtError("delete volume " + volume);
}

void ScratchPool::refresh() const {
    if (virStoragePoolRefresh(pool_, 0) < 0) throw LibvirtError("refresh the pool");
}

int ScratchPool::volume_count() const {
    const int count = virStoragePoolNumOfVolumes(pool_);
    if (count < 0) throw LibvirtError("count the volumes");
    return count;
}

std::string ScratchPool::path_of(const std::string& volume) const {
    const std::unique_ptr<char, decltype(&free)> path(
        virStorageVolGetPath(look_up(pool_, volume).get()), &free);
    if (!path) throw LibvirtError("ask for the path of volume " + volume);
    return path.get();
}

std::string gluster_pool_xml(const std::string& name, const std::string& host,
                             const std::string& volume, const std::string& directory) {
    return "<pool type='gluster'><name>" + name + "</name><source><host name='" + host +
           "'/><dir path='" + directory + "'/><name>" + volume + "</name></source></pool>";
}

std::string directory_pool_xml(const std::string& name, const std::string& directory) {
    return "<pool type='dir'><name>" + name + "</name><target><path>" + directory +
           "</path></target></pool>";
}

std::string volume_xml(const VolumeSpec& spec) {
    std::string xml = "<volume><name>" + spec.name +
                      "</name><capacity unit='GiB'>1</capacity><allocation>0</allocation>"
                      "<target><format type='" +
                      spec.format + "'/></target>";
    if (!spec.base.empty())
        xml += "<backingStore><path>" + spec.base + "</path><format type='qcow2'/></backingStore>";
    return xml + "</volume>";
}

}  // namespace sfg::bench
