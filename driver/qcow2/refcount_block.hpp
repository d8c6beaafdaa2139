// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

// Section "Host cluster management", "Refcount block entry": a block is an array of unsigned
// integers of 2^order bits, order 0 to 6. Those of a byte or more are big-endian; of smaller ones
// the first is in the least significant bits of its byte.
namespace sfg::qcow2 {

// `index` must be inside the block.
std::uint64_t load_refcount(std::span<const std::byte> block, std::uint64_t index,
                            std::uint32_t order);

// `value` must fit 2^order bits.
void store_refcount(std::span<std::byte> block, std::uint64_t index, std::uint32_t order,
                    std::uint64_t value);

// The index of the last count that is not 0.
std::optional<std::uint64_t> last_counted(std::span<const std::byte> block, std::uint32_t order);

}  // namespace sfg::qcow2
