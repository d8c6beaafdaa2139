// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/stream_writer.hpp"

#include <algorithm>

namespace sfg::qcow2 {

Result<void> StreamWriter::skip_to(std::uint64_t offset) {
    const std::uint64_t gap = offset - position();
    const std::uint64_t room = kCapacity - buffer_.size();
    if (!buffer_.empty() && gap <= std::min<std::uint64_t>(room, kMaxJoinedGap)) {
        buffer_.resize(buffer_.size() + static_cast<std::size_t>(gap));
        return {};
    }
    SFG_TRY(flush());
    start_ = offset;
    return {};
}

Result<void> StreamWriter::append(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        if (buffer_.size() == kCapacity) SFG_TRY(flush());
        const std::size_t length = std::min(bytes.size(), kCapacity - buffer_.size());
        buffer_.insert(buffer_.end(), bytes.begin(),
                       bytes.begin() + static_cast<std::ptrdiff_t>(length));
        bytes = bytes.subspan(length);
    }
    return {};
}

Result<void> StreamWriter::flush() {
    if (buffer_.empty()) return {};
    SFG_TRY(file_.write_at(start_, buffer_));
    start_ += buffer_.size();
    written_end_ = start_;
    buffer_.clear();
    return {};
}

Result<void> write_zeros(ByteSource& file, std::uint64_t begin, std::uint64_t end) {
    const std::vector<std::byte> zeros(
        static_cast<std::size_t>(std::min<std::uint64_t>(end - begin, StreamWriter::kCapacity)));
    while (begin < end) {
        const std::uint64_t length = std::min<std::uint64_t>(end - begin, zeros.size());
        SFG_TRY(file.write_at(begin, std::span(zeros).first(static_cast<std::size_t>(length))));
        begin += length;
    }
    return {};
}

}  // namespace sfg::qcow2
