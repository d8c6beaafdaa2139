// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "driver/core/result.hpp"

namespace sfg {

// A run of bytes in a file.
struct Extent {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;

    std::uint64_t end() const { return offset + length; }
    bool operator==(const Extent&) const = default;
};

// A file as the format code sees it: bytes at offsets. gfapi files, local files and the memory and
// fault-making stores of the tests implement it, and one contract test runs over all of them.
//
// All offsets and lengths are in bytes. Calls on one object may come from several threads as long
// as they do not change the size.
class ByteSource {
  public:
    virtual ~ByteSource() = default;

    // Reads into `buffer` from `offset` on. Returns how many bytes were read: fewer than asked
    // for only where the file ends, 0 at or behind its end.
    virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) = 0;

    // Writes all of `data`, growing the file when it must (a gap reads as zeros), or fails. After
    // a failure the range holds old or new bytes.
    virtual Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) = 0;

    virtual Result<std::uint64_t> size() = 0;

    // Cuts the file or grows it with a hole.
    virtual Result<void> resize(std::uint64_t bytes) = 0;

    // Reserves storage for the range and grows the file to its end when it must. What was there
    // stays, the rest reads as zeros. ErrorKind::no_space when there is not enough.
    virtual Result<void> allocate(std::uint64_t offset, std::uint64_t length) = 0;

    // Returns after all that was written is on stable storage.
    virtual Result<void> flush() = 0;

    // The first run of data at or behind `from`; nothing where only a hole follows up to the end
    // of the file. Data may be zeros, a hole always reads as zeros. ErrorKind::unsupported where
    // the storage cannot tell.
    virtual Result<std::optional<Extent>> find_data(std::uint64_t from);

    // Gives the storage of the range back: it reads as zeros afterwards, and the size stays.
    // ErrorKind::unsupported where the storage cannot.
    virtual Result<void> discard(std::uint64_t offset, std::uint64_t length);
};

}  // namespace sfg
