// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

#include "driver/core/result.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

struct ResizeRequest {
    std::uint64_t capacity = 0;  // bytes; qcow2 rounds it up to 512
    bool allocate = false;       // have all of it on disk
    bool shrink = false;         // it may become smaller
};

// Gives a raw or qcow2 volume another capacity. A qcow2 image only shrinks by what was never
// written, and no base below what a dependant sees of it. Either all is done or, but for space
// that was allocated already, nothing. ErrorKind::busy where the volume is in use or needed,
// unsupported for other formats.
Result<void> resize_volume(const OpenPool& pool, const std::string& name,
                           const ResizeRequest& request);

}  // namespace sfg
