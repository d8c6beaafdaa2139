// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <compare>
#include <string>
#include <vector>

namespace sfg {

// Where a volume file can be had: a host that runs glusterd.
struct Server {
    std::string host;
    int port = 0;  // 0: glusterd's own, 24007

    auto operator<=>(const Server&) const = default;
};

inline constexpr int kGlusterdPort = 24007;

// A gluster volume as a pool or a URI names it. Two addresses may lead to one volume: its
// volume-id tells (Connection::volume_id).
struct VolumeAddress {
    std::string volume;
    std::vector<Server> servers;

    auto operator<=>(const VolumeAddress&) const = default;
};

}  // namespace sfg
