// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/header_bytes.hpp"

#include <algorithm>

namespace sfg::qcow2 {

Result<void> HeaderBytes::fill_window(std::uint64_t offset, std::size_t needed) {
    window_offset_ = offset;
    window_length_ = 0;
    while (window_length_ < needed) {
        SFG_TRY_ASSIGN(
            const std::size_t got,
            read_more_(offset + window_length_, std::span(window_).subspan(window_length_)));
        if (got == 0) break;
        window_length_ += std::min(got, kWindow - window_length_);
    }
    return {};
}

Result<std::span<const std::byte>> HeaderBytes::get_some(std::uint64_t offset, std::size_t length) {
    if (offset <= start_.size() && length <= start_.size() - offset)
        return start_.subspan(static_cast<std::size_t>(offset), length);
    const bool inside = offset >= window_offset_ && offset - window_offset_ <= window_length_ &&
                        length <= window_length_ - (offset - window_offset_);
    if (!inside) SFG_TRY(fill_window(offset, length));
    const std::size_t at = static_cast<std::size_t>(offset - window_offset_);
    return std::span<const std::byte>(window_).subspan(at, std::min(length, window_length_ - at));
}

Result<std::span<const std::byte>> HeaderBytes::get(std::uint64_t offset, std::size_t length) {
    SFG_TRY_ASSIGN(const auto bytes, get_some(offset, length));
    if (bytes.size() < length) {
        return Error(ErrorKind::corrupt, "the file ends before byte " +
                                             std::to_string(offset + length) +
                                             ", inside its qcow2 header");
    }
    return bytes;
}

Error damaged(std::string_view name, std::uint64_t value, std::string_view reason) {
    std::string sentence = "the qcow2 header field ";
    sentence.append(name).append(" is ").append(std::to_string(value));
    sentence.append(", ").append(reason);
    return Error(ErrorKind::corrupt, std::move(sentence));
}

std::string text_of(std::span<const std::byte> bytes) {
    std::string text;
    text.reserve(bytes.size());
    for (std::byte byte : bytes) text.push_back(static_cast<char>(byte));
    return text;
}

}  // namespace sfg::qcow2
