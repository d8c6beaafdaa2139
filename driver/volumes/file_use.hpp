// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include "driver/core/result.hpp"
#include "driver/gluster/object.hpp"

namespace sfg {

// Who in this process works with which file, whatever pools and names lead to it: libvirt's own
// counters know of one pool's volume only. Keyed by volume-id and gfid; holds nothing of libvirt's.
enum class FileUse {
    shared,     // read as a base
    exclusive,  // being deleted
};

// Held until the last copy is gone. ErrorKind::busy where another use is in the way.
using FileHold = std::shared_ptr<void>;
Result<FileHold> hold_file(const Object& file, FileUse use);

}  // namespace sfg
