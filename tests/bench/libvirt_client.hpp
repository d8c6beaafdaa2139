// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libvirt/libvirt.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace sfg::bench {

// What libvirt refused, in its words.
class LibvirtError : public std::runtime_error {
  public:
    explicit LibvirtError(const std::string& what_was_tried);
};

// One open connection.
class Client {
  public:
    explicit Client(const std::string& uri);
    virConnectPtr get() const { return connection_.get(); }

  private:
    struct Closer {
        void operator()(virConnectPtr connection) const { virConnectClose(connection); }
    };
    std::unique_ptr<virConnect, Closer> connection_;
};

// A transient pool: started from XML, gone from libvirt (not from disk) with this object.
class ScratchPool {
  public:
    ScratchPool(const Client& client, const std::string& xml);
    ~ScratchPool();
    ScratchPool(const ScratchPool&) = delete;
    ScratchPool& operator=(const ScratchPool&) = delete;

    void create(const std::string& volume_xml) const;
    void remove(const std::string& volume) const;
    void refresh() const;
    int volume_count() const;
    std::string path_of(const std::string& volume) const;

  private:
    virStoragePoolPtr pool_;
};

std::string gluster_pool_xml(const std::string& name, const std::string& host,
                             const std::string& volume, const std::string& directory);
std::string directory_pool_xml(const std::string& name, const std::string& directory);

struct VolumeSpec {
    std::string name;
    std::string format;
    std::string base = {};  // path of a qcow2 volume; empty: none
};
std::string volume_xml(const VolumeSpec& spec);

}  // namespace sfg::bench
