// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/disks/known_servers.hpp"

#include "driver/core/settings.hpp"
#include "driver/gluster/uri.hpp"
#include "driver/pools/known_pools.hpp"

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
    // Never destroyed: threads may outlive main.
    static const auto* const servers = new std::vector<Server>([] {
        std::vector<Server> found;
        for (const auto& text : settings().trusted_servers) {
            if (const auto server = server_of(text))
                found.push_back(*server);
            else
                log_warning("trusted-servers of /etc/libvirt/sf-gluster.conf has '" +
                            escaped(text) + "', which is no host, host:port or path of a socket");
        }
        return found;
    }());
    return *servers;
}

}  // namespace

KnownServers& KnownServers::instance() {
    static auto* const servers = new KnownServers;  // never destroyed: threads may outlive main
    return *servers;
}

Result<VolumeAddress> KnownServers::address_of(const Disk& disk) {
    if (!is_volume_name(disk.address.volume))
        return Error(ErrorKind::invalid,
                     disk.described() + ": there is no gluster volume of such a name");
    if (disk.address.servers.empty())
        return Error(ErrorKind::invalid, disk.described() + " names no gluster host");
    if (!disk.named_by_image) return disk.address;
    // All of them: qemu gets the list as it is, and asks any of them.
    std::optional<VolumeAddress> address;
    for (const auto& server : disk.address.servers) {
        auto found = known(disk.address.volume, server);
        if (!found)
            return Error(ErrorKind::denied,
                         disk.described() + " on the gluster server '" + escaped(server.name()) +
                             "' is named by an image's header only: it is not connected to; where "
                             "that is right, define and start a pool of that volume with that "
                             "host, or put the host into trusted-servers in "
                             "/etc/libvirt/sf-gluster.conf");
        if (!address) address = std::move(found);
    }
    return *std::move(address);
}

std::optional<VolumeAddress> KnownServers::known(const std::string& volume, const Server& server) {
    if (auto of_pool = KnownPools::instance().pool_for(volume, server)) return of_pool;
    {
        const std::lock_guard held(mutex_);
        for (const auto& address : of_definitions_)
            if (address.volume == volume && has_server(address.servers, server)) return address;
    }
    if (has_server(of_settings(), server)) return VolumeAddress{volume, {server}};
    return std::nullopt;
}

void KnownServers::remember(const VolumeAddress& address) {
    const std::lock_guard held(mutex_);
    of_definitions_.insert(address);
}

}  // namespace sfg
