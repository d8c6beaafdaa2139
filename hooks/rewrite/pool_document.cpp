// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/pool_document.hpp"

#include <pugixml.hpp>
#include <string_view>

#include "driver/core/path.hpp"
#include "hooks/rewrite/gluster_source.hpp"

namespace sfg::hooks {
namespace {

std::vector<Server> servers_of(pugi::xml_node source) {
    std::vector<Server> servers;
    for (const auto host : source.children("host")) {
        const Server server{host.attribute("name").value(), host.attribute("port").as_int()};
        if (!server.host.empty() && server.port >= 0 && !has_server(servers, server))
            servers.push_back(server);
    }
    return servers;
}

}  // namespace

std::optional<PoolDocument> parse_pool_document(const std::string& text) {
    pugi::xml_document document;
    if (!document.load_buffer(text.data(), text.size())) return std::nullopt;
    auto pool = document.child("pool");
    if (!pool) pool = document.child("poolstate").child("pool");
    const auto source = pool.child("source");
    const std::string_view type = pool.attribute("type").value();

    PoolDocument found;
    found.name = pool.child_value("name");
    found.servers = servers_of(source);
    const std::string path = source.child("dir").attribute("path").value();
    if (type == "gluster") {
        const auto directory = normalized(path);
        found.volume = source.child_value("name");
        if (!directory || !is_volume_name(found.volume)) return std::nullopt;
        found.directory = *directory;
        return found;
    }
    if (type != "netfs" ||
        std::string_view(source.child("format").attribute("type").value()) != "glusterfs")
        return std::nullopt;
    // As libvirt puts it together for mount(8): host:/path (storage_backend_fs.c).
    const auto mounted = parse_gluster_source(":/" + path);
    const std::string target = pool.child("target").child_value("path");
    const auto point = normalized(target);
    if (!mounted || !point || !target.starts_with('/')) return std::nullopt;
    found.volume = mounted->volume;
    found.directory = mounted->directory;
    found.mount_point = "/" + *point;
    for (const auto option : pool.child("fs:mount_opts").children("fs:option"))
        add_backup_servers(found.servers, option.attribute("name").value());
    return found;
}

}  // namespace sfg::hooks
