// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/disks/known_servers.hpp"

#include "driver/core/settings.hpp"
#include "driver/gluster/uri.hpp"
#include "driver/volumes/known_pools.hpp"

namespace sfg {
namespace {

// "sf-1", "sf-1:24007", "[fe80::1]:24007" or the path of a socket.
std::optional<Server> server_of(const std::string& text) {
    if (text.starts_with('/')) return Server{"", 0, text};
    const auto uri = parse_gluster_uri("gluster://" + text + "/volume");
    if (!uri || uri->volume != "volume") return std::nullopt;
    return uri->server();
}

const std::vector<Server>& of_settings() {
    static const std::vector<Server> servers = [] {
        std::vector<Server> found;
        for (const auto& text : settings().trusted_servers) {
            if (const auto server = server_of(text))
                found.push_back(*server);
            else
                log_warning("trusted-servers of /etc/libvirt/sf-gluster.conf has '" +
                            escaped(text) + "', which is no host, host:port or path of a socket");
        }
        return found;
    }();
    return servers;
}

}  // namespace

KnownServers& KnownServers::instance() {
    static auto* const servers = new KnownServers;  // never destroyed: threads may outlive main
    return *servers;
}

Result<VolumeAddress> KnownServers::address_of(const Disk& disk) {
    if (disk.address.servers.empty())
        return Error(ErrorKind::invalid, disk.described() + " names no gluster host");
    if (!disk.named_by_image) return disk.address;
    // All of them: qemu gets the list as it is, and asks any of them.
    std::optional<VolumeAddress> address;
    for (const auto& server : disk.address.servers) {
        auto found = known(disk.address.volume, server);
        if (!found)
            return Error(ErrorKind::denied,
                         disk.described() + " is on the gluster server '" + escaped(server.name()) +
                             "', which only an image's header names: it is not connected to; "
                             "where that is right, define and start a pool with that host, or put "
                             "it into trusted-servers in /etc/libvirt/sf-gluster.conf");
        if (!address) address = std::move(found);
    }
    return *std::move(address);
}

std::optional<VolumeAddress> KnownServers::known(const std::string& volume, const Server& server) {
    if (auto of_pool = KnownPools::instance().address_for(volume, server)) return of_pool;
    std::optional<VolumeAddress> found;
    {
        const std::lock_guard held(mutex_);
        for (const auto& address : of_definitions_) {
            if (!has_server(address.servers, server)) continue;
            if (address.volume == volume) return address;
            found = VolumeAddress{volume, address.servers};
        }
    }
    if (!found && has_server(of_settings(), server)) found = VolumeAddress{volume, {server}};
    return found;
}

void KnownServers::remember(const VolumeAddress& address) {
    const std::lock_guard held(mutex_);
    of_definitions_.insert(address);
}

}  // namespace sfg
