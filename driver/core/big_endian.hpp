// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sfg {

// Reads an unsigned big-endian integer at `offset`; the caller has checked that it is inside.
template <std::unsigned_integral T>
T load_be(std::span<const std::byte> bytes, std::size_t offset) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        value = static_cast<T>((static_cast<std::uint64_t>(value) << 8) |
                               std::to_integer<std::uint64_t>(bytes[offset + i]));
    return value;
}

// Writes `value` big-endian at `offset`; the caller has checked that it fits.
template <std::unsigned_integral T>
void store_be(std::span<std::byte> bytes, std::size_t offset, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
        bytes[offset + i] =
            static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * (sizeof(T) - 1 - i)));
}

}  // namespace sfg
