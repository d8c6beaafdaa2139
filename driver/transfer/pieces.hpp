// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"

namespace sfg {

// How data is moved in bulk: by several threads, each with one request of this many bytes under
// way. gfapi's own buffers have 1 MiB. With a brick on the same machine two requests at a time and
// six were alike; more help on slower links and cost little.
inline constexpr std::size_t kTransferUnit = std::size_t{1} << 20;
inline constexpr int kTransferThreads = 6;

// Hands out a file's data in pieces of at most kTransferUnit bytes, one after another; what lies
// between two of them is a hole. Where the file cannot tell its holes all of it is data.
// Thread-safe.
class Pieces {
  public:
    // From `begin` to `end`.
    Pieces(ByteSource& file, std::uint64_t begin, std::uint64_t end)
        : file_(file), end_(end), at_(begin), data_end_(begin) {}

    Result<std::optional<Extent>> next();

    bool knows_holes() const { return knows_holes_; }

  private:
    Result<void> find_more();

    ByteSource& file_;
    const std::uint64_t end_;
    std::mutex mutex_;
    std::uint64_t at_;
    std::uint64_t data_end_;
    std::atomic<bool> knows_holes_ = true;
};

}  // namespace sfg
