// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/copy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "tests/support/fault_store.hpp"
#include "tests/unit/noise.hpp"

namespace sfg {
namespace {

using test::FaultStore;
using test::MemoryStore;
using test::noise;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kBlock = 4096;

const CopyProgress kNobodyTold = [](std::uint64_t) { return Result<void>(); };

// Data of all lengths here and there, and a hole at the end.
MemoryStore scattered(std::uint64_t size, unsigned seed) {
    MemoryStore file;
    std::mt19937 random(seed);
    for (std::uint64_t at = 0; at < size;) {
        const std::uint64_t length = std::min<std::uint64_t>(random() % (2 * kMiB) + 1, size - at);
        EXPECT_TRUE(file.write_at(at, noise(static_cast<std::size_t>(length), seed + 1)));
        at += length + random() % (3 * kMiB);
    }
    EXPECT_TRUE(file.resize(size + kMiB / 2));
    return file;
}

void expect_same(MemoryStore& found, MemoryStore& wanted, std::uint64_t length) {
    for (std::uint64_t at = 0; at < length; at += kMiB) {
        const auto part = static_cast<std::size_t>(std::min(kMiB, length - at));
        ASSERT_EQ(found.bytes(at, part), wanted.bytes(at, part)) << "in the MiB at " << at;
    }
}

TEST(CopyOfData, IsTheSameWithItsHoles) {
    for (const unsigned seed : {1U, 2U, 3U}) {
        MemoryStore from = scattered(20 * kMiB + 12345, seed), to;
        const std::uint64_t size = *from.size();
        ASSERT_TRUE(copy_data(from, to, size, kNobodyTold));
        EXPECT_EQ(*to.size(), size);
        expect_same(to, from, size);
        EXPECT_EQ(to.written_bytes(), from.written_bytes());
    }
}

TEST(CopyOfData, AnExceptionInAThreadIsAnError) {
    MemoryStore from = scattered(20 * kMiB, 9), to;
    std::atomic<int> told = 0;
    const auto copied = copy_data(from, to, *from.size(), [&](std::uint64_t) -> Result<void> {
        if (++told == 3) throw std::bad_alloc();
        return {};
    });
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().system_errno(), ENOMEM);
}

TEST(CopyOfData, MakesHolesOfZerosWhereTheSourceCannotTell) {
    MemoryStore from = scattered(20 * kMiB + 12345, 4), to;
    ASSERT_TRUE(from.write_at(2 * kMiB, std::vector<std::byte>(3 * kMiB)));  // zeros that are data
    ASSERT_TRUE(from.write_at(5 * kMiB, noise(kBlock, 5)));
    from.set_knows_holes(false);
    const std::uint64_t size = *from.size();
    ASSERT_TRUE(copy_data(from, to, size, kNobodyTold));
    EXPECT_EQ(*to.size(), size);
    expect_same(to, from, size);
    EXPECT_LT(to.written_bytes(), from.written_bytes());
    EXPECT_EQ(to.find_data(2 * kMiB)->value().offset, 5 * kMiB) << "zeros were written";
}

TEST(CopyOfData, MakesAHoleOfTerabytesAtOnce) {
    MemoryStore from, to;
    ASSERT_TRUE(from.resize(std::uint64_t{50} << 40));
    ASSERT_TRUE(from.write_at(std::uint64_t{49} << 40, noise(10, 5)));
    ASSERT_TRUE(copy_data(from, to, std::uint64_t{50} << 40, kNobodyTold));
    EXPECT_EQ(*to.size(), std::uint64_t{50} << 40);
    EXPECT_EQ(to.bytes(std::uint64_t{49} << 40, 10), noise(10, 5));
    EXPECT_EQ(to.written_bytes(), kBlock);
}

TEST(CopyOfData, CopiesNoMoreThanIsAskedFor) {
    MemoryStore from(noise(3 * kMiB, 6)), to;
    ASSERT_TRUE(copy_data(from, to, kMiB + 7, kNobodyTold));
    EXPECT_EQ(*to.size(), kMiB + 7);
    expect_same(to, from, kMiB + 7);
    MemoryStore nothing;
    ASSERT_TRUE(copy_data(from, nothing, 0, kNobodyTold));
    EXPECT_EQ(*nothing.size(), 0U);
}

TEST(CopyOfData, LeavesALongerTargetLonger) {
    MemoryStore from(noise(1000, 7)), to;
    ASSERT_TRUE(to.resize(10 * kMiB));
    ASSERT_TRUE(copy_data(from, to, 1000, kNobodyTold));
    EXPECT_EQ(*to.size(), 10 * kMiB);
}

TEST(CopyOfData, TellsOfAllBytesOneAtATime) {
    MemoryStore from = scattered(12 * kMiB, 8), to;
    std::uint64_t data = 0;
    for (std::uint64_t at = 0;;) {
        const auto found = *from.find_data(at);
        if (!found) break;
        data += found->length;
        at = found->end();
    }
    std::uint64_t told = 0;
    std::atomic<int> telling = 0;
    ASSERT_TRUE(copy_data(from, to, *from.size(), [&](std::uint64_t bytes) {
        EXPECT_EQ(++telling, 1);
        told += bytes;
        --telling;
        return Result<void>();
    }));
    EXPECT_EQ(told, data);
}

TEST(CopyOfData, IsStoppedByItsListener) {
    FaultStore from{MemoryStore(noise(40 * kMiB, 9))};
    MemoryStore to;
    int told = 0;
    const auto stopped = copy_data(from, to, 40 * kMiB, [&](std::uint64_t) -> Result<void> {
        if (++told == 3) return Error(ErrorKind::busy, "enough");
        return {};
    });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().message(), "enough");
    // Those that were under way may end.
    EXPECT_LE(from.count(FaultStore::Call::read), 3U + 2 * kTransferThreads);
}

TEST(CopyOfData, EndsAtTheFirstErrorOfEitherSide) {
    for (const auto kind :
         {FaultStore::Call::read, FaultStore::Call::size, FaultStore::Call::find_data}) {
        FaultStore from{MemoryStore(noise(30 * kMiB, 10))};
        from.faults().fail_kind = kind;
        from.faults().error = Error(ErrorKind::not_connected, ENOTCONN, "the source is away");
        MemoryStore to;
        const auto failed = copy_data(from, to, 30 * kMiB, kNobodyTold);
        ASSERT_FALSE(failed) << static_cast<int>(kind);
        EXPECT_EQ(failed.error().message(), "the source is away");
        EXPECT_LE(from.count(kind), static_cast<std::size_t>(kTransferThreads));
    }
    for (const auto kind :
         {FaultStore::Call::write, FaultStore::Call::size, FaultStore::Call::resize}) {
        MemoryStore from(noise(30 * kMiB, 11));
        FaultStore to;
        to.faults().fail_kind = kind;
        to.faults().error = Error(ErrorKind::no_space, ENOSPC, "the target is full");
        const auto failed = copy_data(from, to, 30 * kMiB, kNobodyTold);
        ASSERT_FALSE(failed) << static_cast<int>(kind);
        EXPECT_EQ(failed.error().kind(), ErrorKind::no_space);
        EXPECT_EQ(failed.error().message(), "the target is full");
        EXPECT_LE(to.count(kind), static_cast<std::size_t>(kTransferThreads));
    }
}

TEST(CopyOfData, FailsAtAnyCallThatDoes) {
    // One thread a call: any order. Whichever fails, the copy does.
    for (std::size_t at = 0; at < 9; ++at) {
        FaultStore to;
        MemoryStore from(noise(7 * kMiB, 12));
        to.faults().fail_call = at;
        const bool copied = copy_data(from, to, 7 * kMiB, kNobodyTold).has_value();
        EXPECT_FALSE(copied) << "call " << at;
    }
}

TEST(CopyOfData, FailsWhereTheSourceIsShorter) {
    MemoryStore from(noise(1000, 13)), to;
    const auto failed = copy_data(from, to, 1001, kNobodyTold);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind(), ErrorKind::io);
    EXPECT_EQ(*to.size(), 0U);
}

// Says a size that it does not have any more when it is read.
class ShrinkingStore : public MemoryStore {
  public:
    explicit ShrinkingStore(std::uint64_t said) : said_(said) {}
    Result<std::uint64_t> size() override { return said_; }

  private:
    std::uint64_t said_;
};

TEST(CopyOfData, FailsWhereTheSourceShrinksMeanwhile) {
    ShrinkingStore from(5 * kMiB);
    ASSERT_TRUE(from.write_at(0, noise(4 * kMiB + 100, 14)));
    from.set_knows_holes(false);
    MemoryStore to;
    const auto failed = copy_data(from, to, 5 * kMiB, kNobodyTold);
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().message().find("shorter"), std::string::npos);
}

}  // namespace
}  // namespace sfg
