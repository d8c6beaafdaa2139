// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"
#include "hooks/rewrite/known_volumes.hpp"

namespace sfg::hooks {

inline constexpr char kConfiguration[] = "/etc/libvirt/sf-gluster.conf";

// What this host says of its gluster volumes. Reads files, asks nobody: neither libvirt, which may
// be waiting for the caller, nor gluster. What is not root's alone to write is not believed: of
// `configuration` that is an error (denied, with the path), of all else it counts as not there.
Result<HostDescription> read_host(const std::string& configuration = kConfiguration);

}  // namespace sfg::hooks
