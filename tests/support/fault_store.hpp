// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/memory_store.hpp"

namespace sfg::test {

// A file in memory that misbehaves as it is told: calls that fail, reads that are short, and a
// power cut that takes with it what was not flushed. With no fault set it behaves as any file.
// Its calls are thread-safe; faults are set and the log is read while nobody makes one.
class FaultStore : public ByteSource {
  public:
    enum class Call { read, write, size, resize, allocate, flush, find_data, discard };

    // One line of the log.
    struct Entry {
        Call call;
        std::uint64_t offset;  // the size for resize
        std::uint64_t length;
    };

    struct Faults {
        // The call with this number, counted from 0 over the object's life, fails with `error`.
        std::optional<std::size_t> fail_call;
        // All calls after it fail as well, as if the process had been killed there.
        bool stay_dead = false;
        // A failing write_at() has written the first half of its data.
        bool torn_writes = false;
        // Calls of this kind always fail with `error`.
        std::optional<Call> fail_kind;
        // A read returns at most this many bytes.
        std::size_t max_read = std::numeric_limits<std::size_t>::max();
        Error error = Error(ErrorKind::io, "a fault was asked for");
    };

    FaultStore() = default;
    explicit FaultStore(MemoryStore content) : now_(content), stable_(std::move(content)) {}

    Faults& faults() { return faults_; }
    const std::vector<Entry>& log() const { return log_; }
    std::size_t count(Call call) const;

    // What a reader sees now.
    MemoryStore& content() { return now_; }

    // Changes made since the last flush, in their order.
    std::size_t unflushed() const { return pending_.size(); }

    // The power is cut: of the changes since the last flush only those remain for which
    // `survives` says so (none without it), given their index. Storage may keep any of them.
    void crash(const std::function<bool(std::size_t)>& survives = nullptr);

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override;
    Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) override;
    Result<std::uint64_t> size() override;
    Result<void> resize(std::uint64_t bytes) override;
    Result<void> allocate(std::uint64_t offset, std::uint64_t length) override;
    Result<void> flush() override;
    Result<std::optional<Extent>> find_data(std::uint64_t from) override;
    Result<void> discard(std::uint64_t offset, std::uint64_t length) override;

  private:
    using Change = std::function<Result<void>(MemoryStore&)>;

    Result<void> enter(Call call, std::uint64_t offset, std::uint64_t length);
    Result<void> change(Change change);

    Faults faults_;
    mutable OwnMutex mutex_;  // guards all below but what now_ guards itself
    std::vector<Entry> log_;
    MemoryStore now_;
    MemoryStore stable_;
    std::vector<Change> pending_;
};

}  // namespace sfg::test
