// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "tests/support/memory_store.hpp"

namespace sfg::test {

// A file in memory that remembers each change, so that every state in which a process that dies or
// a power cut can leave it can be made afterwards. What was flushed is there; of what came after,
// a disk may have stored any sectors of 512 bytes, in any order.
class RecordingStore : public ByteSource {
  public:
    enum class Kind { write, resize, allocate, flush };
    struct Change {
        Kind kind;
        std::uint64_t offset = 0;  // the size for resize
        std::uint64_t length = 0;
        std::vector<std::byte> data;
    };

    explicit RecordingStore(MemoryStore content) : before_(content), now_(std::move(content)) {}

    const std::vector<Change>& changes() const { return changes_; }
    MemoryStore& content() { return now_; }

    // Calls `body` for the state after each of the changes, and between two flushes for `subsets`
    // random choices of what was stored as well.
    void for_each_crash(int subsets, std::mt19937_64& random,
                        const std::function<void(MemoryStore&)>& body) const;

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        return now_.read_at(offset, buffer);
    }
    Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) override;
    Result<std::uint64_t> size() override { return now_.size(); }
    Result<void> resize(std::uint64_t bytes) override;
    Result<void> allocate(std::uint64_t offset, std::uint64_t length) override;
    Result<void> flush() override;

  private:
    MemoryStore before_;
    MemoryStore now_;
    std::vector<Change> changes_;
};

}  // namespace sfg::test
