// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/refcount_block.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

namespace sfg::qcow2 {

namespace {

std::uint64_t largest(std::uint32_t order) {
    return std::numeric_limits<std::uint64_t>::max() >> (64 - (std::uint64_t{1} << order));
}

}  // namespace

// Section "Host cluster management": bit 0 is the least significant of its byte, numbers of more
// bytes are big-endian.
TEST(Qcow2RefcountBlockTest, CountsAreWhereTheFormatHasThem) {
    std::vector<std::byte> block(16);
    const auto byte = [&block](std::size_t at) { return std::to_integer<unsigned>(block[at]); };
    store_refcount(block, 9, 0, 1);
    EXPECT_EQ(byte(1), 0x02u);
    store_refcount(block, 3, 1, 2);
    EXPECT_EQ(byte(0), 0x80u);
    store_refcount(block, 4, 2, 5);
    EXPECT_EQ(byte(2), 0x05u);
    store_refcount(block, 5, 2, 6);
    EXPECT_EQ(byte(2), 0x65u);
    store_refcount(block, 3, 3, 0xab);
    EXPECT_EQ(byte(3), 0xabu);
    store_refcount(block, 2, 4, 0x0102);
    EXPECT_EQ(byte(4), 1u);
    EXPECT_EQ(byte(5), 2u);
    store_refcount(block, 2, 5, 0x03040506);
    EXPECT_EQ(byte(8), 3u);
    EXPECT_EQ(byte(11), 6u);
    store_refcount(block, 1, 6, 0x0102030405060708);
    EXPECT_EQ(byte(8), 1u);
    EXPECT_EQ(byte(15), 8u);
}

TEST(Qcow2RefcountBlockTest, CountsOfAllWidthsAreKeptApart) {
    std::mt19937_64 random(1);
    for (std::uint32_t order = 0; order <= 6; ++order) {
        const std::size_t count = 512 * 8 >> order;
        std::vector<std::byte> block(512);
        std::vector<std::uint64_t> counts(count);
        EXPECT_FALSE(last_counted(block, order));
        for (int i = 0; i < 2000; ++i) {
            const std::size_t at = random() % count;
            counts[at] = random() % 2 == 0 ? 0 : random() & largest(order);
            store_refcount(block, at, order, counts[at]);
        }
        for (std::size_t i = 0; i < count; ++i)
            ASSERT_EQ(load_refcount(block, i, order), counts[i]) << order << " " << i;
    }
}

TEST(Qcow2RefcountBlockTest, TheLastCountIsFound) {
    for (std::uint32_t order = 0; order <= 6; ++order) {
        const std::size_t count = 512 * 8 >> order;
        for (std::size_t last = 0; last < count; ++last) {
            std::vector<std::byte> block(512);
            store_refcount(block, last / 2, order, 1);
            store_refcount(block, last, order, 1);
            ASSERT_EQ(last_counted(block, order), last) << order;
            store_refcount(block, last, order, largest(order));
            ASSERT_EQ(last_counted(block, order), last) << order;
        }
    }
}

}  // namespace sfg::qcow2
