// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace sfg::test {

// Bytes none of which is zero, and that look right at no other offset.
inline std::vector<std::byte> noise(std::size_t length, unsigned seed) {
    std::vector<std::byte> bytes(length + sizeof(std::uint64_t));
    std::uint64_t state = 0x9e3779b97f4a7c15 * (std::uint64_t{seed} + 1);
    for (std::size_t at = 0; at < length; at += sizeof(state)) {
        state ^= state << 13;  // xorshift64
        state ^= state >> 7;
        state ^= state << 17;
        const std::uint64_t word = state | 0x0101010101010101;
        std::memcpy(bytes.data() + at, &word, sizeof(word));
    }
    bytes.resize(length);
    return bytes;
}

}  // namespace sfg::test
