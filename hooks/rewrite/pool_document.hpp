// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/gluster/address.hpp"

namespace sfg::hooks {

// What libvirt's document of a storage pool says of a gluster volume.
struct PoolDocument {
    std::string name;
    std::string volume;           // the gluster volume
    std::string directory;        // in the volume, normalized; "" is its root
    std::vector<Server> servers;  // with the port that is given; may be none
    std::string mount_point;      // of a FUSE pool (netfs, format glusterfs); "" of a gluster pool
};

// Of <pool type='gluster'>, and of <pool type='netfs'> with the format glusterfs, also inside of
// <poolstate>. Nothing for other pools, and for what is no XML.
std::optional<PoolDocument> parse_pool_document(const std::string& text);

}  // namespace sfg::hooks
