// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/templates/documents.hpp"

#include <algorithm>

#include "hooks/rewrite/access.hpp"
#include "hooks/templates/fill.hpp"
#include "hooks/templates/options.hpp"

namespace sfg::hooks {
namespace {

using List = std::vector<std::string>;

List one_or_none(const std::string& value) {
    return value.empty() ? List{} : List{value};
}

Result<std::string> filled(const char* file, const Values& values, const ReadTemplate& read) {
    SFG_TRY_ASSIGN(const std::string text, read(file));
    auto document = fill(text, values);
    if (!document) return document.error().with_context(file);
    return document;
}

Result<Access> read_access(const TemplateRequest& request) {
    SFG_TRY(check_word("--access", request.access, "network", "file"));
    return request.access == "network" ? Access::network : Access::file;
}

Result<std::vector<Server>> read_hosts(const TemplateRequest& request) {
    if (request.hosts.empty())
        return Error(ErrorKind::invalid, "--host must be given: a server of the gluster volume");
    std::vector<Server> servers;
    for (const auto& host : request.hosts) {
        SFG_TRY_ASSIGN(auto server, read_host("--host", host));
        if (server.port == 0) server.port = kGlusterdPort;
        servers.push_back(std::move(server));
    }
    return servers;
}

Result<void> add_hosts(Values& values, const TemplateRequest& request) {
    SFG_TRY_ASSIGN(const auto servers, read_hosts(request));
    List& hosts = values.texts["HOST"];
    List& ports = values.texts["PORT"];
    for (const auto& server : servers) {
        hosts.push_back(server.host);
        ports.push_back(std::to_string(server.port));
    }
    return {};
}

// The one host that a netfs pool may have, and those that mount.glusterfs asks when that one does
// not answer. libvirt hands neither a port on to mount (virStorageBackendFileSystemGetPoolSource),
// and mount.glusterfs has ':' between hosts.
Result<void> add_mount_hosts(Values& values, const TemplateRequest& request) {
    SFG_TRY_ASSIGN(const auto servers, read_hosts(request));
    std::string more;
    for (const auto& server : servers) {
        if (server.port != kGlusterdPort)
            return Error(ErrorKind::invalid,
                         "--host must not have a port with --access file: a mount takes 24007");
        if (servers.size() > 1 && server.host.find(':') != std::string::npos)
            return Error(ErrorKind::invalid,
                         "--host must not be an IPv6 address beside others with --access file: "
                         "mount.glusterfs cannot tell them apart");
        if (&server != &servers.front()) more += (more.empty() ? "" : ":") + server.host;
    }
    values.texts["HOST"] = {servers.front().host};
    values.texts["MORE_HOSTS"] = one_or_none(more);
    return {};
}

Result<std::string> make_pool(const TemplateRequest& request, const ReadTemplate& read) {
    SFG_TRY_ASSIGN(const Access access, read_access(request));
    SFG_TRY(check_volume("--volume", request.volume));
    const bool by_file = access == Access::file;
    // Both kinds of one volume may be defined on one host.
    const std::string name =
        !request.name.empty() ? request.name : request.volume + (by_file ? "-fuse" : "");
    SFG_TRY(check_name("--name", name));
    Values values;
    values.texts = {{"NAME", {name}}, {"VOLUME", {request.volume}}};
    if (!by_file) {
        SFG_TRY(add_hosts(values, request));
        return filled("gluster-pool.xml", values, read);
    }
    SFG_TRY_ASSIGN(const std::string mount, read_mount("--mount", request.mount));
    values.texts["MOUNT"] = {mount};
    SFG_TRY(add_mount_hosts(values, request));
    return filled("fuse-pool.xml", values, read);
}

Result<void> check_format(const TemplateRequest& request) {
    return check_word("--format", request.format, "qcow2", "raw");
}

Result<void> add_size(Values& values, const std::string& size) {
    values.texts["SIZE"] = {};
    values.texts["SIZE_UNIT"] = {};
    if (size.empty()) return {};
    SFG_TRY_ASSIGN(const Size read, read_size("--size", size));
    values.texts["SIZE"] = {read.number};
    values.texts["SIZE_UNIT"] = {read.unit};
    return {};
}

Result<std::string> make_volume(const TemplateRequest& request, const ReadTemplate& read) {
    if (request.paths.size() != 1)
        return Error(ErrorKind::invalid,
                     "--path must be given once: the volume's name in its pool");
    SFG_TRY(check_path("--path", request.paths[0]));
    SFG_TRY(check_format(request));
    const bool has_base = !request.base.empty(), has_size = !request.size.empty();
    if (request.for_upload && (has_base || has_size))
        return Error(ErrorKind::invalid,
                     "--for-upload goes with neither --size nor --base: an uploaded image brings "
                     "its own");
    if (!request.for_upload && !has_base && !has_size)
        return Error(ErrorKind::invalid,
                     "--size must be given, or --base, or --for-upload for an image that is "
                     "uploaded later");
    Values values;
    values.texts = {{"PATH", request.paths}, {"FORMAT", {request.format}}};
    values.texts["COMPAT"] = one_or_none(request.format == "qcow2" ? "1.1" : "");
    SFG_TRY(add_size(values, request.size));
    if (!has_base)
        return filled(request.for_upload ? "image.xml" : "blank-volume.xml", values, read);
    if (request.format != "qcow2")
        return Error(ErrorKind::invalid, "--base needs --format qcow2: raw images have no base");
    SFG_TRY(check_given("--base", request.base));
    SFG_TRY(check_word("--base-format", request.base_format, "qcow2", "raw"));
    values.texts["BASE"] = {request.base};
    values.texts["BASE_FORMAT"] = {request.base_format};
    return filled("overlay.xml", values, read);
}

Result<std::string> make_disk(const TemplateRequest& request, const std::string& path,
                              const std::string& target, const ReadTemplate& read) {
    SFG_TRY_ASSIGN(const Access access, read_access(request));
    SFG_TRY(check_path("--path", path));
    SFG_TRY(check_format(request));
    SFG_TRY(check_target("--target", target));
    Values values;
    values.texts = {{"PATH", {path}}, {"FORMAT", {request.format}}, {"TARGET", {target}}};
    if (access == Access::file) {
        SFG_TRY_ASSIGN(const std::string mount, read_mount("--mount", request.mount));
        values.texts["MOUNT"] = {mount};
        return filled("file-disk.xml", values, read);
    }
    SFG_TRY(check_volume("--volume", request.volume));
    values.texts["VOLUME"] = {request.volume};
    SFG_TRY(add_hosts(values, request));
    return filled("network-disk.xml", values, read);
}

Result<std::string> make_domain(const TemplateRequest& request, const ReadTemplate& read) {
    constexpr std::size_t kMostDisks = 26;  // vda to vdz
    SFG_TRY(check_name("--name", request.name));
    if (!request.uuid.empty()) SFG_TRY(check_uuid("--uuid", request.uuid));
    SFG_TRY_ASSIGN(const Size memory, read_size("--memory", request.memory));
    SFG_TRY(check_cpus("--cpus", request.cpus));
    SFG_TRY(check_word("--type", request.type, "kvm", "qemu"));
    List paths = request.paths;
    if (paths.empty() && request.uuid.empty())
        return Error(ErrorKind::invalid,
                     "--uuid must be given, for disks at instances/UUID/vda and vdb, or --path for "
                     "each disk");
    if (paths.empty())
        paths = {"instances/" + request.uuid + "/vda", "instances/" + request.uuid + "/vdb"};
    if (paths.size() > kMostDisks)
        return Error(ErrorKind::invalid, "--path may be given 26 times, for vda to vdz");
    Values values;
    List& disks = values.documents["DISKS"];
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const std::string target = std::string("vd") + static_cast<char>('a' + i);
        SFG_TRY_ASSIGN(auto disk, make_disk(request, paths[i], target, read));
        disks.push_back(std::move(disk));
    }
    values.texts = {{"NAME", {request.name}},    {"UUID", one_or_none(request.uuid)},
                    {"MEMORY", {memory.number}}, {"MEMORY_UNIT", {memory.unit}},
                    {"CPUS", {request.cpus}},    {"TYPE", {request.type}}};
    return filled("guest.xml", values, read);
}

}  // namespace

Result<std::string> make_document(Document document, const TemplateRequest& request,
                                  const ReadTemplate& read) {
    switch (document) {
        case Document::pool:
            return make_pool(request, read);
        case Document::volume:
            return make_volume(request, read);
        case Document::domain:
            return make_domain(request, read);
        case Document::disk:
            break;
    }
    if (request.paths.size() != 1)
        return Error(ErrorKind::invalid,
                     "--path must be given once: the image's path in the gluster volume");
    return make_disk(request, request.paths[0], request.target, read);
}

}  // namespace sfg::hooks
