// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "driver/core/byte_source.hpp"

namespace sfg::test {

// A file in memory. Holes take no memory, so it may be as long as a file can be; copies share
// their pages until one is written to, so taking a snapshot is cheap.
class MemoryStore : public ByteSource {
  public:
    MemoryStore() = default;
    explicit MemoryStore(std::span<const std::byte> content);

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override;
    Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) override;
    Result<std::uint64_t> size() override { return size_; }
    Result<void> resize(std::uint64_t bytes) override;
    Result<void> allocate(std::uint64_t offset, std::uint64_t length) override;
    Result<void> flush() override { return {}; }

    // `length` bytes from `offset` on, zeros behind the end.
    std::vector<std::byte> bytes(std::uint64_t offset, std::size_t length);

    // How many bytes were ever written into and not cut off, rounded up to pages.
    std::uint64_t written_bytes() const { return pages_.size() * kPage; }

  private:
    static constexpr std::uint64_t kPage = 4096;
    using Page = std::array<std::byte, kPage>;

    std::map<std::uint64_t, std::shared_ptr<Page>> pages_;  // by number
    std::uint64_t size_ = 0;
};

}  // namespace sfg::test
