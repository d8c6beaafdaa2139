// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/shell_word.hpp"

#include <gtest/gtest.h>

#include "tests/support/command.hpp"

namespace sfg::hooks {

TEST(ShellWord, IsWhatItWas) {
    EXPECT_EQ(shell_word("/srv/a-1.qcow2"), "/srv/a-1.qcow2");
    EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
    EXPECT_EQ(shell_word(""), "''");
    for (const std::string text : {"a b", "$(id)", "`id`", "ä ö", "a\\b", "a\nb", "\xff\x01'",
                                   "a\\'\n", "~", "*", "!x", "#"}) {
        const auto word = shell_word(text);
        EXPECT_EQ(word.find('\n'), std::string::npos) << word;
        const auto ran = test::run({"/bin/bash", "-c", "printf %s " + word});
        EXPECT_EQ(ran.output, text) << word;
    }
}

}  // namespace sfg::hooks
