// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "driver/core/result.hpp"

namespace sfg {

namespace {

Error refusal() {
    return Error(ErrorKind::invalid, "no");
}

Result<int> half(int value) {
    if (value % 2 != 0) return refusal();
    return value / 2;
}

Result<int> quarter(int value) {
    SFG_TRY_ASSIGN(const int once, half(value));
    SFG_TRY_ASSIGN(const int twice, half(once));
    return twice;
}

Result<void> must_be_even(int value) {
    SFG_TRY(half(value).has_value() ? Result<void>() : Result<void>(refusal()));
    return {};
}

}  // namespace

TEST(ResultTest, HoldsAValueOrAnError) {
    EXPECT_EQ(*half(4), 2);
    ASSERT_FALSE(half(3));
    EXPECT_EQ(half(3).error().kind(), ErrorKind::invalid);
}

TEST(ResultTest, TryLeavesWithTheFirstError) {
    EXPECT_EQ(*quarter(8), 2);
    EXPECT_FALSE(quarter(6));
    EXPECT_FALSE(quarter(5));
    EXPECT_TRUE(must_be_even(2));
    EXPECT_FALSE(must_be_even(1));
}

TEST(ResultTest, CarriesValuesThatCanOnlyBeMoved) {
    Result<std::unique_ptr<std::string>> made = std::make_unique<std::string>("kept");
    const std::unique_ptr<std::string> taken = *std::move(made);
    EXPECT_EQ(*taken, "kept");
}

}  // namespace sfg
