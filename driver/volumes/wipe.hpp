// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

enum class WipeMethod {
    zero,    // what is stored is overwritten with zeros
    trim,    // the storage is given back: the volume is one hole
    random,  // what is stored is overwritten with random bytes
};

// Destroys what a volume holds; its size stays, holes stay holes, and it is a raw volume
// afterwards. ErrorKind::busy where it is in use or the base of another volume, unsupported for
// trim where the volume cannot discard.
//
// zero writes zeros and does not ask the bricks to make them (glfs_zerofill): they would mark the
// blocks as empty (FALLOC_FL_ZERO_RANGE, posix_do_zerofill) and leave the old bytes on the disk.
Result<void> wipe_volume(const OpenPool& pool, const std::string& name, WipeMethod method);

}  // namespace sfg
