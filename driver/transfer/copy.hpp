// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"
#include "driver/transfer/pieces.hpp"

namespace sfg {

// Told now and then how many bytes more are done, from several threads, one at a time. An error
// stops the copy.
using CopyProgress = std::function<Result<void>(std::uint64_t bytes)>;

// Copies the first `length` bytes of `from` to `to`, which reads as zeros so far. Holes stay holes:
// where `from` cannot tell its holes, runs of zeros become holes. `to` is `length` bytes long
// afterwards, or longer if it was. Does not flush. Memory: kTransferThreads * kTransferUnit.
Result<void> copy_data(ByteSource& from, ByteSource& to, std::uint64_t length,
                       const CopyProgress& progress);

// Calls `visit` for each of `pieces`, from kTransferThreads threads at once and in any order.
// Returns the first error.
Result<void> for_each_piece(Pieces& pieces, const std::function<Result<void>(Extent piece)>& visit);

}  // namespace sfg
