// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/zeros.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace sfg {
namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kKiB = 1024;

std::vector<std::byte> zeros_but(std::size_t length, const std::vector<std::size_t>& set) {
    std::vector<std::byte> bytes(length);
    for (const std::size_t at : set) bytes[at] = std::byte{1};
    return bytes;
}

std::vector<Extent> runs_in(std::size_t length, const std::vector<std::size_t>& set) {
    return runs_of_data(zeros_but(length, set));
}

TEST(AllZeros, IsTrueOfNothingAndOfZeros) {
    EXPECT_TRUE(all_zeros({}));
    for (const std::size_t length : {1UL, 2UL, 7UL, 4096UL, 100'001UL})
        EXPECT_TRUE(all_zeros(zeros_but(length, {}))) << length;
}

TEST(AllZeros, IsFalseWhereverAByteIsSet) {
    for (const std::size_t length : {1UL, 2UL, 9UL, 65UL})
        for (std::size_t at = 0; at < length; ++at)
            EXPECT_FALSE(all_zeros(zeros_but(length, {at}))) << at << " of " << length;
    const std::vector<std::byte> ones(4096, std::byte{0xff});
    EXPECT_FALSE(all_zeros(ones));
}

TEST(RunsOfData, AreNoneInZeros) {
    EXPECT_TRUE(runs_of_data({}).empty());
    EXPECT_TRUE(runs_in(1 << 20, {}).empty());
    EXPECT_TRUE(runs_in(kBlock + 1, {}).empty());
}

TEST(RunsOfData, AreWholeBlocks) {
    EXPECT_EQ(runs_in(1 << 20, {5}), (std::vector<Extent>{{0, kBlock}}));
    EXPECT_EQ(runs_in(1 << 20, {2 * kBlock}), (std::vector<Extent>{{2 * kBlock, kBlock}}));
    EXPECT_EQ(runs_in(1 << 20, {3 * kBlock - 1}), (std::vector<Extent>{{2 * kBlock, kBlock}}));
    EXPECT_EQ(runs_in(1 << 20, {kBlock, 2 * kBlock}), (std::vector<Extent>{{kBlock, 2 * kBlock}}));
}

TEST(RunsOfData, EndWhereTheBytesDo) {
    EXPECT_EQ(runs_in(kBlock + 10, {kBlock + 9}), (std::vector<Extent>{{kBlock, 10}}));
    EXPECT_EQ(runs_in(10, {0}), (std::vector<Extent>{{0, 10}}));
    EXPECT_EQ(runs_in(2 * kBlock + 1, {0, 2 * kBlock}), (std::vector<Extent>{{0, 2 * kBlock + 1}}));
}

TEST(RunsOfData, AreJoinedOverLessThan64KiB) {
    // Fifteen blocks of zeros between the two are written along, sixteen are a hole.
    EXPECT_EQ(runs_in(1 << 20, {0, 64 * kKiB}), (std::vector<Extent>{{0, 64 * kKiB + kBlock}}));
    EXPECT_EQ(runs_in(1 << 20, {0, 64 * kKiB + kBlock}),
              (std::vector<Extent>{{0, kBlock}, {64 * kKiB + kBlock, kBlock}}));
}

TEST(RunsOfData, CoverAllThatIsNotZero) {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        const std::size_t length = random() % (600 * kKiB) + 1;
        std::vector<std::size_t> set(random() % 12);
        for (auto& at : set) at = random() % length;
        const auto bytes = zeros_but(length, set);
        const auto runs = runs_of_data(bytes);
        std::vector<std::byte> copy(length);
        std::uint64_t last_end = 0;
        for (const Extent& run : runs) {
            ASSERT_GE(run.offset, last_end);
            ASSERT_TRUE(last_end == 0 || run.offset - last_end >= 64 * kKiB);
            ASSERT_LE(run.end(), length);
            ASSERT_GT(run.length, 0U);
            last_end = run.end();
            std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(run.offset), run.length,
                        copy.begin() + static_cast<std::ptrdiff_t>(run.offset));
        }
        EXPECT_EQ(copy, bytes);
    }
}

}  // namespace
}  // namespace sfg
