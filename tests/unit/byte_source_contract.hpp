// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "driver/core/byte_source.hpp"

// What every ByteSource must do. Include this in one file of a test program and instantiate it:
//   INSTANTIATE_TEST_SUITE_P(Memory, ByteSourceContract, ::testing::Values(ByteSourceMaker{...}));
namespace sfg::test {

struct ByteSourceMaker {
    std::string name;
    // Makes a fresh empty file; whoever makes it removes it when the object goes.
    std::function<Result<std::unique_ptr<ByteSource>>()> make;

    friend void PrintTo(const ByteSourceMaker& maker, std::ostream* out) { *out << maker.name; }
};

class ByteSourceContract : public ::testing::TestWithParam<ByteSourceMaker> {
  protected:
    void SetUp() override {
        auto made = GetParam().make();
        ASSERT_TRUE(made) << made.error().message();
        file = *std::move(made);
    }

    static std::vector<std::byte> pattern(std::size_t length, unsigned seed) {
        std::vector<std::byte> out(length);
        for (std::size_t i = 0; i < length; ++i)
            out[i] = static_cast<std::byte>((i * 7 + i / 256 + seed) & 0xff);
        return out;
    }

    void write(std::uint64_t offset, const std::vector<std::byte>& data) {
        auto written = file->write_at(offset, data);
        ASSERT_TRUE(written) << written.error().message();
    }

    // As much as there is of `length` bytes from `offset` on.
    std::vector<std::byte> read(std::uint64_t offset, std::size_t length) {
        std::vector<std::byte> buffer(length, std::byte{0xee});
        auto got = file->read_at(offset, buffer);
        EXPECT_TRUE(got) << got.error().message();
        if (!got) return {};
        EXPECT_LE(*got, length);
        for (std::size_t i = *got; i < length; ++i)
            EXPECT_EQ(buffer[i], std::byte{0xee}) << "wrote behind what it read, at " << i;
        buffer.resize(*got);
        return buffer;
    }

    std::uint64_t size() {
        auto bytes = file->size();
        EXPECT_TRUE(bytes) << bytes.error().message();
        return bytes ? *bytes : ~std::uint64_t{0};
    }

    std::unique_ptr<ByteSource> file;
};

TEST_P(ByteSourceContract, AFreshFileIsEmpty) {
    EXPECT_EQ(size(), 0u);
    EXPECT_TRUE(read(0, 16).empty());
}

TEST_P(ByteSourceContract, WhatIsWrittenIsReadBack) {
    const auto data = pattern(10000, 1);
    write(0, data);
    EXPECT_EQ(size(), 10000u);
    EXPECT_EQ(read(0, 10000), data);
    const std::vector<std::byte> middle(data.begin() + 1234, data.begin() + 5678);
    EXPECT_EQ(read(1234, 5678 - 1234), middle);
}

TEST_P(ByteSourceContract, AReadOverTheEndIsShort) {
    write(0, pattern(1000, 2));
    EXPECT_EQ(read(900, 4096).size(), 100u);
    EXPECT_EQ(read(999, 2).size(), 1u);
}

TEST_P(ByteSourceContract, AReadBehindTheEndReturnsNothing) {
    write(0, pattern(1000, 3));
    EXPECT_TRUE(read(1000, 1).empty());
    EXPECT_TRUE(read(std::uint64_t{1} << 40, 100).empty());
}

TEST_P(ByteSourceContract, AnEmptyReadOrWriteDoesNothing) {
    write(0, pattern(10, 4));
    EXPECT_TRUE(read(5, 0).empty());
    write(5, {});
    write(100, {});
    EXPECT_EQ(size(), 10u);
}

TEST_P(ByteSourceContract, AnOverwriteLeavesItsNeighbours) {
    auto data = pattern(9000, 5);
    write(0, data);
    const auto patch = pattern(100, 99);
    write(4050, patch);
    std::copy(patch.begin(), patch.end(), data.begin() + 4050);
    EXPECT_EQ(size(), 9000u);
    EXPECT_EQ(read(0, 9000), data);
}

TEST_P(ByteSourceContract, AGapReadsAsZeros) {
    write(0, pattern(10, 6));
    write(100000, pattern(10, 7));
    EXPECT_EQ(size(), 100010u);
    EXPECT_EQ(read(10, 99990), std::vector<std::byte>(99990));
    EXPECT_EQ(read(100000, 10), pattern(10, 7));
}

TEST_P(ByteSourceContract, ALargeWriteIsWrittenWhole) {
    const auto data = pattern(std::size_t{5} << 20, 8);
    write(513, data);
    EXPECT_EQ(size(), 513 + data.size());
    EXPECT_EQ(read(513, data.size()), data);
}

TEST_P(ByteSourceContract, ResizeGrowsWithZeros) {
    write(0, pattern(100, 9));
    ASSERT_TRUE(file->resize(70000));
    EXPECT_EQ(size(), 70000u);
    EXPECT_EQ(read(0, 100), pattern(100, 9));
    EXPECT_EQ(read(100, 80000), std::vector<std::byte>(69900));
}

TEST_P(ByteSourceContract, ResizeMakesAHoleAndNotData) {
    // Hours, if it were written.
    ASSERT_TRUE(file->resize(std::uint64_t{1} << 40));
    EXPECT_EQ(size(), std::uint64_t{1} << 40);
    EXPECT_EQ(read((std::uint64_t{1} << 40) - 100, 200), std::vector<std::byte>(100));
}

TEST_P(ByteSourceContract, ResizeCuts) {
    write(0, pattern(10000, 10));
    ASSERT_TRUE(file->resize(5000));
    EXPECT_EQ(size(), 5000u);
    EXPECT_EQ(read(4990, 100).size(), 10u);
}

TEST_P(ByteSourceContract, WhatWasCutOffDoesNotComeBack) {
    write(0, pattern(10000, 11));
    ASSERT_TRUE(file->resize(5001));
    ASSERT_TRUE(file->resize(10000));
    EXPECT_EQ(read(5001, 4999), std::vector<std::byte>(4999));
    EXPECT_EQ(read(0, 5001).back(), pattern(10000, 11)[5000]);
}

TEST_P(ByteSourceContract, AllocateGrowsWithZeros) {
    auto reserved = file->allocate(0, 100000);
    ASSERT_TRUE(reserved) << reserved.error().message();
    EXPECT_EQ(size(), 100000u);
    EXPECT_EQ(read(0, 100000), std::vector<std::byte>(100000));
}

TEST_P(ByteSourceContract, AllocateLeavesWhatIsThere) {
    write(0, pattern(5000, 12));
    ASSERT_TRUE(file->allocate(1000, 1000));
    EXPECT_EQ(size(), 5000u);
    EXPECT_EQ(read(0, 5000), pattern(5000, 12));
    ASSERT_TRUE(file->allocate(4000, 2000));
    EXPECT_EQ(size(), 6000u);
    EXPECT_EQ(read(0, 5000), pattern(5000, 12));
    EXPECT_EQ(read(5000, 1000), std::vector<std::byte>(1000));
}

TEST_P(ByteSourceContract, AllocatingNothingDoesNothing) {
    ASSERT_TRUE(file->allocate(4096, 0));
    EXPECT_EQ(size(), 0u);
}

TEST_P(ByteSourceContract, OffsetsThatNoFileHasAreRefusedOrEmpty) {
    const std::uint64_t beyond = std::uint64_t{1} << 63;
    EXPECT_FALSE(file->write_at(beyond, pattern(1, 0)));
    EXPECT_FALSE(file->write_at(~std::uint64_t{0}, pattern(1, 0)));
    EXPECT_FALSE(file->resize(beyond));
    EXPECT_FALSE(file->allocate(beyond - 1, 2));
    std::vector<std::byte> buffer(10);
    // An error is fine too, a made-up byte is not.
    if (auto got = file->read_at(beyond, buffer)) {
        EXPECT_EQ(*got, 0u);
    }
    EXPECT_EQ(size(), 0u);
}

TEST_P(ByteSourceContract, FlushSucceeds) {
    EXPECT_TRUE(file->flush());
    write(0, pattern(10, 13));
    EXPECT_TRUE(file->flush());
    EXPECT_EQ(read(0, 10), pattern(10, 13));
}

// What find_data answers for a file must agree with what is read from it; where the storage cannot
// tell its holes that is an answer too, always the same.
TEST_P(ByteSourceContract, HolesAreFoundOrNotToldAtAll) {
    constexpr std::uint64_t kFar = std::uint64_t{1} << 30;
    const auto data = pattern(100000, 14);
    write(kFar, data);
    write(3 * kFar, data);
    ASSERT_TRUE(file->resize(5 * kFar));
    ASSERT_TRUE(file->flush());
    std::vector<Extent> found;
    for (std::uint64_t at = 0; at < 5 * kFar;) {
        const auto next = file->find_data(at);
        if (!next) {
            EXPECT_EQ(next.error().kind(), ErrorKind::unsupported) << next.error().message();
            EXPECT_EQ(at, 0u) << "it could tell before";
            return;
        }
        if (!*next) break;
        ASSERT_GE((*next)->offset, at);
        ASSERT_GT((*next)->length, 0u);
        ASSERT_LE((*next)->end(), 5 * kFar);
        found.push_back(**next);
        at = (*next)->end();
    }
    auto covered = [&](std::uint64_t offset, std::uint64_t length) {
        for (const Extent& extent : found)
            if (extent.offset <= offset && offset + length <= extent.end()) return true;
        return false;
    };
    EXPECT_TRUE(covered(kFar, data.size()));
    EXPECT_TRUE(covered(3 * kFar, data.size()));
    std::uint64_t total = 0;
    for (const Extent& extent : found) total += extent.length;
    // Storage may round up, some MiB at the most.
    EXPECT_LE(total, 2 * data.size() + (std::uint64_t{64} << 20)) << "holes are told as data";
}

TEST_P(ByteSourceContract, DataIsFoundFromItsMiddleOn) {
    write(0, pattern(100000, 15));
    ASSERT_TRUE(file->flush());
    const auto found = file->find_data(50001);
    if (!found) {
        EXPECT_EQ(found.error().kind(), ErrorKind::unsupported) << found.error().message();
        return;
    }
    ASSERT_TRUE(*found);
    EXPECT_EQ((*found)->offset, 50001u);
    EXPECT_EQ((*found)->end(), 100000u);
}

TEST_P(ByteSourceContract, NoDataIsFoundAtOrBehindTheEnd) {
    write(0, pattern(5000, 16));
    ASSERT_TRUE(file->flush());
    for (const std::uint64_t from : {std::uint64_t{5000}, std::uint64_t{1} << 40}) {
        const auto found = file->find_data(from);
        if (found)
            EXPECT_FALSE(*found) << "from " << from;
        else
            EXPECT_EQ(found.error().kind(), ErrorKind::unsupported) << found.error().message();
    }
}

TEST_P(ByteSourceContract, AnEmptyFileHasNoData) {
    const auto found = file->find_data(0);
    if (found)
        EXPECT_FALSE(*found);
    else
        EXPECT_EQ(found.error().kind(), ErrorKind::unsupported) << found.error().message();
}

TEST_P(ByteSourceContract, WhatIsDiscardedReadsAsZerosAndTheSizeStays) {
    const auto data = pattern(200000, 17);
    write(0, data);
    const auto discarded = file->discard(5000, 150001);
    if (!discarded) {
        EXPECT_EQ(discarded.error().kind(), ErrorKind::unsupported) << discarded.error().message();
        EXPECT_EQ(read(0, data.size()), data) << "refused, and yet changed";
        return;
    }
    EXPECT_EQ(size(), data.size());
    auto expected = data;
    std::fill(expected.begin() + 5000, expected.begin() + 155001, std::byte{0});
    EXPECT_EQ(read(0, data.size()), expected);
    // Over the end: the size stays there too.
    ASSERT_TRUE(file->discard(190000, 1 << 20));
    EXPECT_EQ(size(), data.size());
    std::fill(expected.begin() + 190000, expected.end(), std::byte{0});
    EXPECT_EQ(read(0, data.size()), expected);
}

TEST_P(ByteSourceContract, DiscardingNothingDoesNothing) {
    const auto data = pattern(10000, 18);
    write(0, data);
    const auto discarded = file->discard(4096, 0);
    if (!discarded) {
        EXPECT_EQ(discarded.error().kind(), ErrorKind::unsupported) << discarded.error().message();
    }
    EXPECT_EQ(read(0, 10000), data);
}

TEST_P(ByteSourceContract, WhatIsWrittenAfterADiscardIsThere) {
    write(0, pattern(100000, 19));
    if (!file->discard(0, 100000)) return;
    const auto data = pattern(3000, 20);
    write(50000, data);
    EXPECT_EQ(read(50000, 3000), data);
    EXPECT_EQ(read(0, 50000), std::vector<std::byte>(50000));
}

}  // namespace sfg::test
