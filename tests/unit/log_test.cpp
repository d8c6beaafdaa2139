// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/log.hpp"

#include <gtest/gtest.h>

#include "driver/core/utf8.hpp"

namespace sfg {
namespace {

std::string last_line;

TEST(EscapedNames, KeepWhatCanBeRead) {
    EXPECT_EQ(escaped("image_cache/\xc3\xa4 b"), "image_cache/\xc3\xa4 b");
}

TEST(EscapedNames, ShowWhatCannot) {
    EXPECT_EQ(escaped("a\nb\x7f\\"), "a\\x0ab\\x7f\\x5c");
    EXPECT_EQ(escaped("\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(escaped(std::string("a\0b", 3)), "a\\x00b");
}

TEST(EscapedNames, AreBounded) {
    EXPECT_LT(escaped(std::string(100'000, '\x01')).size(), 600u);
    EXPECT_TRUE(is_utf8(escaped(std::string(100'000, '\xc3'))));
}

TEST(TheLog, GoesWhereItIsToldTo) {
    set_log_sink([](LogLevel, const char* message) { last_line = message; });
    log_warning("here");
    EXPECT_EQ(last_line, "here");
    set_log_sink(nullptr);
}

TEST(Utf8, IsMeasuredByTheCharacter) {
    EXPECT_EQ(utf8_length("a"), 1);
    EXPECT_EQ(utf8_length("\xe2\x82\xac."), 3);
    EXPECT_EQ(utf8_length("\xe2\x82"), 0);
    EXPECT_EQ(utf8_length("\xed\xa0\x80"), 0) << "a surrogate";
    EXPECT_EQ(utf8_length(""), 0);
}

}  // namespace
}  // namespace sfg
