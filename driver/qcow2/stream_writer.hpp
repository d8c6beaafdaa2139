// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "driver/core/big_endian.hpp"
#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"

namespace sfg::qcow2 {

// Writes a file from front to back through a buffer of 1 MiB, so that a call goes to the storage
// once a MiB and not once a table entry, and a small image goes there in one write. Space that is
// skipped is written as zeros where that joins two pieces to one write, and otherwise left as a
// hole.
class StreamWriter {
  public:
    // In bytes. gluster's own transfers are at most as large.
    static constexpr std::size_t kCapacity = std::size_t{1} << 20;

    // The longest gap that is closed with zeros to save a call, in bytes.
    static constexpr std::size_t kMaxJoinedGap = kCapacity / 4;

    // Starts at offset 0 of `file`, which must outlive the writer.
    explicit StreamWriter(ByteSource& file) : file_(file) { buffer_.reserve(kCapacity); }

    // The offset of the next byte.
    std::uint64_t position() const { return start_ + buffer_.size(); }

    // Where the last write to the file ended, 0 before the first.
    std::uint64_t written_end() const { return written_end_; }

    // Moves on to `offset`, which is not before position().
    Result<void> skip_to(std::uint64_t offset);

    Result<void> append(std::span<const std::byte> bytes);

    template <std::unsigned_integral T>
    Result<void> append_be(T value) {
        if (kCapacity - buffer_.size() < sizeof(T)) SFG_TRY(flush());
        const std::size_t at = buffer_.size();
        buffer_.resize(at + sizeof(T));
        store_be<T>(buffer_, at, value);
        return {};
    }

    // Hands what is in the buffer to the file. Must be called at the end; the file then reaches to
    // the last byte that was appended or skipped as zeros.
    Result<void> flush();

  private:
    ByteSource& file_;
    std::uint64_t start_ = 0;  // offset of the buffer's first byte
    std::uint64_t written_end_ = 0;
    std::vector<std::byte> buffer_;
};

// Writes zeros from `begin` to before `end`, in bytes, a MiB at a time.
Result<void> write_zeros(ByteSource& file, std::uint64_t begin, std::uint64_t end);

}  // namespace sfg::qcow2
