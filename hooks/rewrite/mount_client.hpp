// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>
#include <vector>

#include "driver/core/fuse_mounts.hpp"
#include "driver/gluster/address.hpp"

namespace sfg::hooks {

// The volfile servers that the command line of a process (/proc/PID/cmdline, words that end with a
// NUL) names, backup-volfile-servers included; nothing where it is not the gluster client of that
// mount.
std::vector<Server> servers_of_client(const FuseMount& mount, std::string_view command_line);

}  // namespace sfg::hooks
