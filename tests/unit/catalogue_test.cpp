// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/catalogue.hpp"

#include <gtest/gtest.h>

namespace sfg {
namespace {

Gfid gfid(unsigned char number) {
    Gfid made;
    made.bytes[0] = number;
    return made;
}

TEST(TheCatalogue, KnowsWhatARefreshSaw) {
    Catalogue catalogue;
    catalogue.replace_below("v", "a", catalogue.begin_refresh(),
                            {{"a/x", gfid(1)}, {"a/y", gfid(2)}});
    EXPECT_EQ(catalogue.known("v", "a/x"), gfid(1));
    EXPECT_EQ(catalogue.known("v", "a/z"), std::nullopt);
    EXPECT_EQ(catalogue.known("w", "a/x"), std::nullopt) << "another volume";
}

TEST(TheCatalogue, ForgetsWhatTheNextRefreshDoesNotSeeBelowItsDirectoryOnly) {
    Catalogue catalogue;
    catalogue.replace_below("v", "", catalogue.begin_refresh(),
                            {{"a/x", gfid(1)}, {"ab/x", gfid(2)}, {"c", gfid(3)}});
    catalogue.replace_below("v", "a", catalogue.begin_refresh(), {{"a/y", gfid(4)}});
    EXPECT_EQ(catalogue.known("v", "a/x"), std::nullopt);
    EXPECT_EQ(catalogue.known("v", "a/y"), gfid(4));
    EXPECT_EQ(catalogue.known("v", "ab/x"), gfid(2));
    EXPECT_EQ(catalogue.known("v", "c"), gfid(3));
}

TEST(TheCatalogue, KeepsWhatWasMadeWhileARefreshWasUnderWay) {
    Catalogue catalogue;
    catalogue.learn("v", "a/old", gfid(1));
    const auto since = catalogue.begin_refresh();
    catalogue.learn("v", "a/new", gfid(2));
    catalogue.learn("v", "a/replaced", gfid(3));
    catalogue.replace_below("v", "a", since, {{"a/replaced", gfid(9)}});
    EXPECT_EQ(catalogue.known("v", "a/new"), gfid(2)) << "the listing had passed it";
    EXPECT_EQ(catalogue.known("v", "a/replaced"), gfid(3));
    EXPECT_EQ(catalogue.known("v", "a/old"), std::nullopt);
}

TEST(TheCatalogue, LetsTheLaterOfTwoRefreshesWin) {
    Catalogue catalogue;
    const auto first = catalogue.begin_refresh();
    const auto second = catalogue.begin_refresh();
    catalogue.replace_below("v", "", second, {{"x", gfid(2)}});
    catalogue.replace_below("v", "", first, {{"x", gfid(1)}});
    EXPECT_EQ(catalogue.known("v", "x"), gfid(2));
}

TEST(TheCatalogue, RemembersAFailedCreationOnce) {
    Catalogue catalogue;
    catalogue.note_failed_creation("v", "a/x");
    EXPECT_FALSE(catalogue.take_failed_creation("v", "a/y"));
    EXPECT_TRUE(catalogue.take_failed_creation("v", "a/x"));
    EXPECT_FALSE(catalogue.take_failed_creation("v", "a/x"));
    catalogue.note_failed_creation("v", "a/x");
    catalogue.learn("v", "a/x", gfid(1));
    EXPECT_FALSE(catalogue.take_failed_creation("v", "a/x")) << "it was made since";
    catalogue.note_failed_creation("v", "a/x");
    catalogue.replace_below("v", "a", catalogue.begin_refresh(), {});
    EXPECT_FALSE(catalogue.take_failed_creation("v", "a/x"));
}

TEST(TheCatalogue, ForgetsWhatWasDeleted) {
    Catalogue catalogue;
    catalogue.learn("v", "x", gfid(1));
    catalogue.forget("v", "x");
    catalogue.forget("v", "never");
    EXPECT_EQ(catalogue.known("v", "x"), std::nullopt);
}

}  // namespace
}  // namespace sfg
