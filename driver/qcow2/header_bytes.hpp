// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "driver/core/result.hpp"
#include "driver/qcow2/header.hpp"

namespace sfg::qcow2 {

// The bytes of the first cluster, as far as they are asked for: those at hand first, and a window
// of the file behind them. The window is small, since what is asked for is, and since an image
// that says otherwise may be lying.
class HeaderBytes {
  public:
    static constexpr std::size_t kWindow = 4096;

    // Both must outlive this object.
    HeaderBytes(std::span<const std::byte> start_of_file, const ReadMore& read_more)
        : start_(start_of_file), read_more_(read_more) {}

    // `length` bytes from `offset` on, at most kWindow; corrupt when the file ends before. The
    // span holds until the next call.
    Result<std::span<const std::byte>> get(std::uint64_t offset, std::size_t length);

    // The same, but fewer bytes where the file ends.
    Result<std::span<const std::byte>> get_some(std::uint64_t offset, std::size_t length);

  private:
    Result<void> fill_window(std::uint64_t offset, std::size_t needed);

    std::span<const std::byte> start_;
    const ReadMore& read_more_;
    std::array<std::byte, kWindow> window_;
    std::uint64_t window_offset_ = 0;
    std::size_t window_length_ = 0;
};

// ErrorKind::corrupt with "the qcow2 header field NAME is VALUE, REASON".
Error damaged(std::string_view name, std::uint64_t value, std::string_view reason);

// The bytes as text, whatever they are.
std::string text_of(std::span<const std::byte> bytes);

}  // namespace sfg::qcow2
