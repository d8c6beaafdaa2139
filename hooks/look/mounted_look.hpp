// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <string>

#include "hooks/look/chain_look.hpp"

namespace sfg::hooks {

// Looks at an image by its path below the place where a FUSE mount of its volume is. A mount may
// hang for ever, or its client may have died, so a child does it, for `limit` at the most.
//
// Call it in a process of one thread only.
ChainLook look_on_mount(const std::string& mount_point, const ImageToLookAt& image,
                        std::chrono::milliseconds limit);

// Where `directory` really is, links followed; "" where that cannot be found out within `limit`.
// Has autofs mount what is to be there.
std::string real_directory(const std::string& directory, std::chrono::milliseconds limit);

}  // namespace sfg::hooks
