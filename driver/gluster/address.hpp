// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <strings.h>

#include <algorithm>
#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace sfg {

inline constexpr int kGlusterdPort = 24007;

// Where a volume file can be had: a host that runs glusterd, or its Unix socket on this host.
struct Server {
    std::string host;
    int port = 0;             // 0: glusterd's own, 24007
    std::string socket = {};  // a path, in the place of the two above

    bool is_local() const { return !socket.empty(); }
    // As messages name it.
    const std::string& name() const { return is_local() ? socket : host; }

    auto operator<=>(const Server&) const = default;
};

// Whether both are the same place, however it is written.
inline bool is_same(const Server& a, const Server& b) {
    auto port = [](const Server& server) { return server.port != 0 ? server.port : kGlusterdPort; };
    return strcasecmp(a.host.c_str(), b.host.c_str()) == 0 && port(a) == port(b) &&
           a.socket == b.socket;
}

inline bool has_server(const std::vector<Server>& servers, const Server& wanted) {
    return std::any_of(servers.begin(), servers.end(),
                       [&](const Server& server) { return is_same(server, wanted); });
}

// Whether gluster would make a volume of that name (glusterd: letters, digits, '-' and '_'). What
// else glusterd is asked for is another kind of volume file: of a brick, for one.
inline bool is_volume_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    });
}

// "sf-1, sf-2"
inline std::string names_of(const std::vector<Server>& servers) {
    std::string names;
    for (const auto& server : servers) names += (names.empty() ? "" : ", ") + server.name();
    return names;
}

// A gluster volume as a pool or a URI names it. Two addresses may lead to one volume: its
// volume-id tells (Connection::volume_id).
struct VolumeAddress {
    std::string volume;
    std::vector<Server> servers;

    auto operator<=>(const VolumeAddress&) const = default;
};

}  // namespace sfg
