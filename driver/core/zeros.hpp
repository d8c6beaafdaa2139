// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "driver/core/byte_source.hpp"

namespace sfg {

// Finding holes where nobody tells of them.

bool all_zeros(std::span<const std::byte> bytes);

// The runs of `bytes` that are not zeros, in blocks of 4 KiB (those of the bricks' file systems)
// and joined where less than 64 KiB lies between them, since a further write costs more than to
// write that many zeros. Offsets are within `bytes`.
std::vector<Extent> runs_of_data(std::span<const std::byte> bytes);

}  // namespace sfg
