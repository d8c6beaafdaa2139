// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <string>

#include "hooks/look/chain_look.hpp"

namespace sfg::hooks {

// Looks at an image by its path below the place where a FUSE mount of its volume is. A mount may
// hang for ever, or its client may have died, so a child does it, for `limit` at the most.
//
// Call it in a process of one thread only. `why` says "Transport endpoint is not connected" where
// the mount's client is dead.
ChainLook look_on_mount(const std::string& mount_point, const std::string& below,
                        const std::string& format, std::chrono::milliseconds limit);

// Has autofs mount what is to be at `directory`, if it is there to. Waits for `limit` at the most.
void wake_automount(const std::string& directory, std::chrono::milliseconds limit);

}  // namespace sfg::hooks
