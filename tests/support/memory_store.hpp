// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "driver/core/byte_source.hpp"

namespace sfg::test {

// A mutex that leaves what it guards copyable: a copy has one of its own, that nobody holds.
class OwnMutex : public std::mutex {
  public:
    OwnMutex() = default;
    OwnMutex(const OwnMutex&) {}
    OwnMutex& operator=(const OwnMutex&) { return *this; }
};

// A file in memory. Holes take no memory, so it may be as long as a file can be; copies share
// their pages until one is written to, so taking a snapshot is cheap. Thread-safe but for the
// taking of copies. What is written is data in blocks of 4 KiB, everything else a hole.
class MemoryStore : public ByteSource {
  public:
    MemoryStore() = default;
    explicit MemoryStore(std::span<const std::byte> content);

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override;
    Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) override;
    Result<std::uint64_t> size() override;
    Result<void> resize(std::uint64_t bytes) override;
    Result<void> allocate(std::uint64_t offset, std::uint64_t length) override;
    Result<void> flush() override { return {}; }
    Result<std::optional<Extent>> find_data(std::uint64_t from) override;
    Result<void> discard(std::uint64_t offset, std::uint64_t length) override;

    // A file on storage that cannot tell where its holes are, or that takes no space back.
    void set_knows_holes(bool knows) { knows_holes_ = knows; }
    void set_discards(bool discards) { discards_ = discards; }

    // `length` bytes from `offset` on, zeros behind the end.
    std::vector<std::byte> bytes(std::uint64_t offset, std::size_t length);

    // How many bytes were ever written into and neither cut off nor discarded, rounded up to pages.
    std::uint64_t written_bytes() const;

  private:
    static constexpr std::uint64_t kPage = 4096;
    using Page = std::array<std::byte, kPage>;

    void clear(std::uint64_t from, std::uint64_t end);

    mutable OwnMutex mutex_;
    std::map<std::uint64_t, std::shared_ptr<Page>> pages_;  // by number
    std::uint64_t size_ = 0;
    bool knows_holes_ = true;
    bool discards_ = true;
};

}  // namespace sfg::test
