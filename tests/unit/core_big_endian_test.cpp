// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include <array>

#include "driver/core/big_endian.hpp"

namespace sfg {

TEST(BigEndianTest, TheMostSignificantByteComesFirst) {
    std::array<std::byte, 10> bytes{};
    store_be<std::uint64_t>(bytes, 1, 0x0102030405060708);
    EXPECT_EQ(bytes[0], std::byte{0});
    for (std::size_t i = 1; i <= 8; ++i) EXPECT_EQ(bytes[i], static_cast<std::byte>(i));
    EXPECT_EQ(bytes[9], std::byte{0});
    EXPECT_EQ(load_be<std::uint32_t>(bytes, 1), 0x01020304u);
    EXPECT_EQ(load_be<std::uint16_t>(bytes, 7), 0x0708u);
    EXPECT_EQ(load_be<std::uint8_t>(bytes, 8), 8u);
}

TEST(BigEndianTest, WhatIsStoredIsLoaded) {
    std::array<std::byte, 8> bytes{};
    for (std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0},
                                std::uint64_t{1} << 63, std::uint64_t{0xfedcba9876543210}}) {
        store_be<std::uint64_t>(bytes, 0, value);
        EXPECT_EQ(load_be<std::uint64_t>(bytes, 0), value);
        store_be<std::uint16_t>(bytes, 3, static_cast<std::uint16_t>(value));
        EXPECT_EQ(load_be<std::uint16_t>(bytes, 3), static_cast<std::uint16_t>(value));
    }
}

}  // namespace sfg
