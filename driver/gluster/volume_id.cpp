// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/volume_id.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sstream>

#include "driver/gluster/connection.hpp"

namespace sfg {
namespace {

constexpr std::size_t kLargestVolumeFile = 4 << 20;  // bytes; one of a hundred bricks has 40 KiB
constexpr std::size_t kMostHosts = 64;

std::optional<std::string> told_volume_id(glfs_t* fs) {
    char id[16];
    if (glfs_get_volumeid(fs, id, sizeof(id)) != sizeof(id)) return std::nullopt;
    return std::string(id, sizeof(id));
}

std::vector<Server> brick_hosts(glfs_t* fs) {
    std::string text(64 << 10, '\0');
    ssize_t length = glfs_get_volfile(fs, text.data(), text.size());
    if (length < 0) {  // so many bytes are missing
        const auto missing = static_cast<std::size_t>(-length);
        if (missing > kLargestVolumeFile) return {};
        text.resize(text.size() + missing);
        length = glfs_get_volfile(fs, text.data(), text.size());
    }
    if (length <= 0) return {};
    text.resize(static_cast<std::size_t>(length));
    return brick_hosts_in(text);
}

}  // namespace

std::vector<Server> brick_hosts_in(const std::string& volume_file) {
    std::vector<Server> hosts;
    std::istringstream lines(volume_file);
    for (std::string line; std::getline(lines, line) && hosts.size() < kMostHosts;) {
        std::istringstream words(line);
        std::string option, name, host;
        if (!(words >> option >> name >> host) || option != "option" || name != "remote-host")
            continue;
        const Server server{host};
        if (!has_server(hosts, server)) hosts.push_back(server);
    }
    return hosts;
}

Result<std::string> volume_id_of(glfs_t* fs, const VolumeAddress& address,
                                 std::chrono::milliseconds limit) {
    if (auto id = told_volume_id(fs)) return *std::move(id);
    const std::string what = "cannot learn the id of gluster volume '" + address.volume +
                             "' from " + names_of(address.servers);
    const bool has_socket = std::any_of(address.servers.begin(), address.servers.end(),
                                        [](const Server& server) { return server.is_local(); });
    const auto hosts = has_socket ? brick_hosts(fs) : std::vector<Server>{};
    if (hosts.empty())
        return Error(ErrorKind::not_connected, ENOTCONN,
                     what + ": `gluster volume info " + address.volume +
                         "` on one of its servers tells whether its glusterd answers");
    const auto connection = Connection::open({address.volume, hosts}, limit, [] {});
    if (!connection)
        return Error(ErrorKind::not_connected, ENOTCONN,
                     what + ", nor from its bricks' hosts: " + connection.error().message() +
                         ": name a host of it instead of the socket");
    return (*connection)->volume_id();
}

}  // namespace sfg
