// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "driver/gluster/address.hpp"

namespace sfg::hooks {

// Both ask others and are given two seconds; empty where there is no answer until then.

// The hosts of the bricks of the volume that is mounted there: gluster's client shows its graph in
// the mount's folder .meta (glusterfs, xlators/meta).
std::vector<Server> bricks_of_mount(const std::string& mount_point);

// The addresses that the names of servers stand for; for one on this host those of its interfaces.
std::vector<std::string> addresses_of(const std::vector<Server>& servers);

}  // namespace sfg::hooks
