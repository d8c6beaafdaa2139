// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/zeros.hpp"

#include <algorithm>
#include <cstring>

namespace sfg {

bool all_zeros(std::span<const std::byte> bytes) {
    // Equal to itself moved on by one, and the first is zero.
    return bytes.empty() || (bytes.front() == std::byte{0} &&
                             std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

std::vector<Extent> runs_of_data(std::span<const std::byte> bytes) {
    constexpr std::size_t kBlock = 4096;
    constexpr std::size_t kJoined = std::size_t{64} << 10;
    std::vector<Extent> runs;
    for (std::size_t at = 0; at < bytes.size(); at += kBlock) {
        const auto block = bytes.subspan(at, std::min(kBlock, bytes.size() - at));
        if (all_zeros(block)) continue;
        if (!runs.empty() && at - runs.back().end() < kJoined)
            runs.back().length = at + block.size() - runs.back().offset;
        else
            runs.push_back({at, block.size()});
    }
    return runs;
}

}  // namespace sfg
