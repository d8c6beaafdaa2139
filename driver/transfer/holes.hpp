// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"

namespace sfg {

// Makes a range read as zeros and take no storage where that can be had: what stands there is given
// back, or where the storage cannot do that is overwritten with zeros; a file that ends before the
// range's end grows. Nobody else may change the file's size meanwhile.
Result<void> make_hole(ByteSource& file, Extent range);

// Overwrites the data in a range with zeros. Holes stay holes.
Result<void> overwrite_with_zeros(ByteSource& file, Extent range);

}  // namespace sfg
