// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/libvirt_client.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/support/xml_text.hpp"

namespace sfg::test {
namespace {

// Errors come back to the caller; without this libvirt prints each as well, and a libvirtd that was
// killed takes its clients with it.
void keep_calm() {
    static const bool done = [] {
        virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
        std::signal(SIGPIPE, SIG_IGN);
        return true;
    }();
    static_cast<void>(done);
}

Refusal outcome(int returned) {
    return returned < 0 ? last_refusal() : Refusal();
}

// A handle, or the error where there is none.
template <typename Owner, typename Handle>
Answer<Owner> owned(Handle* handle) {
    Answer<Owner> answer;
    if (handle != nullptr)
        answer.value.emplace(handle);
    else
        answer.refusal = last_refusal();
    return answer;
}

// A string of libvirt's that the caller is to free.
Answer<std::string> text(char* given) {
    Answer<std::string> answer;
    if (given != nullptr)
        answer.value.emplace(given);
    else
        answer.refusal = last_refusal();
    std::free(given);
    return answer;
}

std::string element(const std::string& name, const std::string& content) {
    return content.empty() ? "" : "<" + name + ">" + xml_escaped(content) + "</" + name + ">";
}

template <typename Number>
std::string number(const std::string& name, const std::optional<Number>& value) {
    return value ? element(name, std::to_string(*value)) : "";
}

}  // namespace

Refusal last_refusal() {
    const virErrorPtr error = virGetLastError();
    if (error == nullptr) return {VIR_ERR_INTERNAL_ERROR, "it failed without saying why"};
    return {error->code, error->message != nullptr ? error->message : ""};
}

std::string Volume::name() const {
    const char* const name = virStorageVolGetName(get());
    return name != nullptr ? name : "";
}

std::string Volume::key() const {
    const char* const key = virStorageVolGetKey(get());
    return key != nullptr ? key : "";
}

std::string Volume::path() const {
    return text(virStorageVolGetPath(get())).value.value_or("");
}

Answer<std::string> Volume::xml() const {
    return text(virStorageVolGetXMLDesc(get(), 0));
}

Answer<virStorageVolInfo> Volume::info() const {
    Answer<virStorageVolInfo> answer;
    virStorageVolInfo info{};
    answer.refusal = outcome(virStorageVolGetInfo(get(), &info));
    if (answer.refusal.code == VIR_ERR_OK) answer.value = info;
    return answer;
}

Refusal Volume::erase() const {
    return outcome(virStorageVolDelete(get(), 0));
}

std::string VolumeSpec::xml() const {
    std::string target;
    target += "<format type='" + xml_escaped(format) + "'/>";
    if (!mode.empty() || owner || group)
        target += "<permissions>" + element("mode", mode) + number("owner", owner) +
                  number("group", group) + "</permissions>";
    target += element("compat", compat);
    if (cluster_size)
        target += "<clusterSize unit='B'>" + std::to_string(*cluster_size) + "</clusterSize>";
    if (!features.empty() || has_features) {
        target += "<features>";
        for (const auto& feature : features) target += "<" + feature + "/>";
        target += "</features>";
    }
    if (encrypted)
        target +=
            "<encryption format='luks'><secret type='passphrase' "
            "uuid='f52a81b2-424e-490c-823d-6bd4235bc572'/></encryption>";

    std::string all = type.empty() ? "<volume>" : "<volume type='" + type + "'>";
    all += element("name", name);
    if (capacity) all += "<capacity unit='bytes'>" + std::to_string(*capacity) + "</capacity>";
    if (allocation)
        all += "<allocation unit='bytes'>" + std::to_string(*allocation) + "</allocation>";
    all += "<target>" + target + "</target>";
    if (!backing.empty()) {
        all += "<backingStore>" + element("path", backing);
        if (!backing_format.empty()) all += "<format type='" + backing_format + "'/>";
        all += "</backingStore>";
    }
    return all + "</volume>";
}

VolumeSpec raw(const std::string& name, std::uint64_t capacity) {
    VolumeSpec spec;
    spec.name = name;
    spec.capacity = capacity;
    return spec;
}

VolumeSpec qcow2(const std::string& name, std::uint64_t capacity) {
    VolumeSpec spec = raw(name, capacity);
    spec.format = "qcow2";
    return spec;
}

VolumeSpec overlay(const std::string& name, const std::string& base,
                   const std::string& base_format) {
    VolumeSpec spec = qcow2(name);
    spec.capacity.reset();
    spec.allocation.reset();
    spec.backing = base;
    spec.backing_format = base_format;
    return spec;
}

VolumeSpec directory(const std::string& name) {
    VolumeSpec spec = raw(name, 0);
    spec.type = "netdir";
    spec.format = "dir";
    return spec;
}

std::string Pool::name() const {
    const char* const name = virStoragePoolGetName(get());
    return name != nullptr ? name : "";
}

Refusal Pool::build() const {
    return outcome(virStoragePoolBuild(get(), 0));
}

Refusal Pool::start() const {
    return outcome(virStoragePoolCreate(get(), 0));
}

Refusal Pool::refresh() const {
    return outcome(virStoragePoolRefresh(get(), 0));
}

Refusal Pool::stop() const {
    return outcome(virStoragePoolDestroy(get()));
}

Refusal Pool::erase() const {
    return outcome(virStoragePoolDelete(get(), 0));
}

Refusal Pool::undefine() const {
    return outcome(virStoragePoolUndefine(get()));
}

Refusal Pool::set_autostart(bool wanted) const {
    return outcome(virStoragePoolSetAutostart(get(), wanted ? 1 : 0));
}

bool Pool::is_active() const {
    return virStoragePoolIsActive(get()) == 1;
}

Answer<virStoragePoolInfo> Pool::info() const {
    Answer<virStoragePoolInfo> answer;
    virStoragePoolInfo info{};
    answer.refusal = outcome(virStoragePoolGetInfo(get(), &info));
    if (answer.refusal.code == VIR_ERR_OK) answer.value = info;
    return answer;
}

std::string Pool::xml() const {
    return text(virStoragePoolGetXMLDesc(get(), 0)).value.value_or("");
}

Answer<Volume> Pool::create(const VolumeSpec& volume, unsigned flags) const {
    return create_from_xml(volume.xml(), flags);
}

Answer<Volume> Pool::create_from_xml(const std::string& xml, unsigned flags) const {
    return owned<Volume>(virStorageVolCreateXML(get(), xml.c_str(), flags));
}

Answer<Volume> Pool::clone(const VolumeSpec& volume, const Volume& source, unsigned flags) const {
    return owned<Volume>(
        virStorageVolCreateXMLFrom(get(), volume.xml().c_str(), source.get(), flags));
}

Answer<Volume> Pool::volume(const std::string& name) const {
    return owned<Volume>(virStorageVolLookupByName(get(), name.c_str()));
}

std::vector<std::string> Pool::volume_names() const {
    virStorageVolPtr* volumes = nullptr;
    const int count = virStoragePoolListAllVolumes(get(), &volumes, 0);
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(Volume(volumes[i]).name());
    std::free(volumes);
    std::sort(names.begin(), names.end());
    return names;
}

bool Pool::lists(const std::string& name) const {
    const auto names = volume_names();
    return std::binary_search(names.begin(), names.end(), name);
}

std::string PoolSpec::xml() const {
    std::string source;
    for (const auto& [host, port] : hosts) {
        source += "<host name='" + xml_escaped(host) + "'";
        if (port != 0) source += " port='" + std::to_string(port) + "'";
        source += "/>";
    }
    return "<pool type='gluster'>" + element("name", name) + "<source>" + source + "<dir path='" +
           xml_escaped(directory) + "'/>" + element("name", volume) + "</source></pool>";
}

Client::Client(const std::string& uri) {
    keep_calm();
    connection_.reset(virConnectOpen(uri.c_str()), [](virConnectPtr connection) {
        if (connection != nullptr) virConnectClose(connection);
    });
    if (!connection_) {
        std::fprintf(stderr, "%s: %s\n", uri.c_str(), last_refusal().message.c_str());
        std::exit(2);
    }
}

Answer<Pool> Client::define(const std::string& xml) const {
    return owned<Pool>(virStoragePoolDefineXML(get(), xml.c_str(), 0));
}

Answer<Pool> Client::pool(const std::string& name) const {
    return owned<Pool>(virStoragePoolLookupByName(get(), name.c_str()));
}

Answer<Volume> Client::volume_by_key(const std::string& key) const {
    return owned<Volume>(virStorageVolLookupByKey(get(), key.c_str()));
}

Answer<Volume> Client::volume_by_path(const std::string& path) const {
    return owned<Volume>(virStorageVolLookupByPath(get(), path.c_str()));
}

Answer<std::string> Client::find_sources(const std::string& type, const std::string& source) const {
    return text(virConnectFindStoragePoolSources(get(), type.c_str(),
                                                 source.empty() ? nullptr : source.c_str(), 0));
}

void Client::forget(const std::string& name) const {
    const auto found = pool(name);
    if (!found) return;
    if (found->is_active()) found->stop();
    found->undefine();
}

Refusal Client::start_guest(const std::string& xml) const {
    const virDomainPtr domain = virDomainCreateXML(get(), xml.c_str(), 0);
    if (domain == nullptr) return last_refusal();
    virDomainFree(domain);
    return {};
}

Refusal Client::stop_guest(const std::string& name) const {
    const virDomainPtr domain = virDomainLookupByName(get(), name.c_str());
    if (domain == nullptr) return last_refusal();
    const Refusal refusal = outcome(virDomainDestroy(domain));
    virDomainFree(domain);
    return refusal;
}

bool Client::is_alive() const {
    return virConnectIsAlive(get()) == 1;
}

}  // namespace sfg::test
