// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "tests/support/fault_store.hpp"

namespace sfg::test {

// Says which calls of HangingStores hang, as calls of gluster do whose brick does not answer, and
// counts them all. Outlives the stores, so that a test can see a store go. Thread-safe.
class Hangs {
  public:
    using Call = FaultStore::Call;

    ~Hangs() { release(); }

    // From now on calls of this kind at or behind `from` hang until they are released.
    void hang(Call call, std::uint64_t from = 0);
    void release();

    // Calls of this kind that have begun, and how many bytes they were about.
    std::size_t count(Call call);
    std::uint64_t bytes(Call call);
    // How many hang now, in all.
    int hanging();

    // Waits, ten seconds at most. False: it has not come to that.
    bool wait_until_hanging(int calls);

  private:
    friend class HangingStore;
    void enter(Call call, std::uint64_t offset, std::uint64_t length);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<Call, std::uint64_t> hung_;  // from where on
    std::map<Call, std::pair<std::size_t, std::uint64_t>> met_;
    int hanging_ = 0;
};

// A file with calls that hang.
class HangingStore : public ByteSource {
  public:
    using Call = FaultStore::Call;

    HangingStore(std::shared_ptr<ByteSource> file, std::shared_ptr<Hangs> hangs)
        : file_(std::move(file)), hangs_(std::move(hangs)) {}

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        hangs_->enter(Call::read, offset, buffer.size());
        return file_->read_at(offset, buffer);
    }
    Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        hangs_->enter(Call::write, offset, data.size());
        return file_->write_at(offset, data);
    }
    Result<std::uint64_t> size() override {
        hangs_->enter(Call::size, 0, 0);
        return file_->size();
    }
    Result<void> resize(std::uint64_t bytes) override {
        hangs_->enter(Call::resize, bytes, 0);
        return file_->resize(bytes);
    }
    Result<void> allocate(std::uint64_t offset, std::uint64_t length) override {
        hangs_->enter(Call::allocate, offset, length);
        return file_->allocate(offset, length);
    }
    Result<void> flush() override {
        hangs_->enter(Call::flush, 0, 0);
        return file_->flush();
    }
    Result<std::optional<Extent>> find_data(std::uint64_t from) override {
        hangs_->enter(Call::find_data, from, 0);
        return file_->find_data(from);
    }
    Result<void> discard(std::uint64_t offset, std::uint64_t length) override {
        hangs_->enter(Call::discard, offset, length);
        return file_->discard(offset, length);
    }

  private:
    const std::shared_ptr<ByteSource> file_;
    const std::shared_ptr<Hangs> hangs_;
};

}  // namespace sfg::test
