// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"
#include "hooks/look/chain_look.hpp"

namespace sfg::hooks {

// Looks at images over gfapi, in a process that runs as qemu's user for `limit` at most: a gluster
// client runs commands that a volume file has in it. The servers have to be this host's own, of its
// configuration, pools or mounts, and never a document's: qemu would ask those too, but confined.
// One look for each image, or an error where the volume cannot be reached.
Result<std::vector<ChainLook>> look_over_gfapi(const VolumeAddress& address,
                                               const std::vector<ImageToLookAt>& images,
                                               std::chrono::milliseconds limit);

}  // namespace sfg::hooks
