// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>

#include "driver/convert/helper/files.hpp"

namespace sfg {

// Copies the bytes of `from`, holes as holes, into the empty `to`, which is then as long.
Result<void> copy_sparse(const OpenFile& from, const OpenFile& to,
                         const std::function<void()>& alive);

Result<void> set_length(const OpenFile& file, std::uint64_t bytes);

// Reserves space for all of the file.
Result<void> reserve_all(const OpenFile& file, const std::function<void()>& alive);

// Makes an image of qcow2 whole clusters long: gfapi reads a last cluster that is cut off as an
// error (qemu 937).
Result<void> pad_qcow2(const OpenFile& file);

// Flushed and closed, with the errors of both.
Result<void> finish(OpenFile file);

}  // namespace sfg
