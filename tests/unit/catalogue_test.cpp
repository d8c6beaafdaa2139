// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/catalogue.hpp"

#include <gtest/gtest.h>

namespace sfg {
namespace {

const Catalogue::Key kPool{"p", "v"};
const Catalogue::Key kOther{"q", "v"};  // over the same tree

KnownFile file(unsigned char number) {
    KnownFile made;
    made.gfid.bytes[0] = number;
    return made;
}

std::optional<Gfid> gfid(unsigned char number) {
    return file(number).gfid;
}

TEST(TheCatalogue, KnowsWhatARefreshSaw) {
    Catalogue catalogue;
    catalogue.replace(kPool, catalogue.begin_refresh(), {{"a/x", file(1)}, {"a/y", file(2)}}, true);
    EXPECT_EQ(catalogue.listed(kPool, "a/x"), gfid(1));
    EXPECT_EQ(catalogue.listed(kPool, "a/z"), std::nullopt);
    EXPECT_EQ(catalogue.listed({"p", "w"}, "a/x"), std::nullopt) << "another volume";
}

TEST(TheCatalogue, TellsOnePoolsListFromAnothers) {
    Catalogue catalogue;
    catalogue.replace(kPool, catalogue.begin_refresh(), {{"a/x", file(1)}}, true);
    EXPECT_EQ(catalogue.listed(kOther, "a/x"), std::nullopt) << "not listed by that pool";
    catalogue.replace(kOther, catalogue.begin_refresh(), {{"a/y", file(2)}}, true);
    EXPECT_EQ(catalogue.listed(kPool, "a/x"), gfid(1)) << "another pool's refresh";
    catalogue.forget("q");
    EXPECT_EQ(catalogue.listed(kOther, "a/y"), std::nullopt);
    EXPECT_EQ(catalogue.listed(kPool, "a/x"), gfid(1));
}

TEST(TheCatalogue, TellsWhatAnyPoolLists) {
    Catalogue catalogue;
    catalogue.made(kPool, "x", file(1));
    catalogue.made(kOther, "x", file(2));
    EXPECT_EQ(catalogue.listed_anywhere("v", "x").size(), 2u);
    EXPECT_TRUE(catalogue.listed_anywhere("w", "x").empty());
    EXPECT_TRUE(catalogue.listed_anywhere("v", "y").empty());
}

TEST(TheCatalogue, ForgetsWhatTheNextRefreshDoesNotSee) {
    Catalogue catalogue;
    catalogue.replace(kPool, catalogue.begin_refresh(), {{"x", file(1)}, {"y", file(2)}}, true);
    EXPECT_TRUE(
        catalogue.replace(kPool, catalogue.begin_refresh(), {{"y", file(2)}}, true).empty());
    EXPECT_EQ(catalogue.listed(kPool, "x"), std::nullopt);
    EXPECT_EQ(catalogue.listed(kPool, "y"), gfid(2));
}

TEST(TheCatalogue, KeepsWhatARefreshCouldNotSeeUntilOneSeesAll) {
    Catalogue catalogue;
    catalogue.replace(kPool, catalogue.begin_refresh(), {{"x", file(1)}, {"y", file(2)}}, true);
    const auto kept = catalogue.replace(kPool, catalogue.begin_refresh(), {{"y", file(3)}}, false);
    ASSERT_EQ(kept.size(), 1u);
    EXPECT_EQ(kept[0].first, "x");
    EXPECT_EQ(kept[0].second.gfid, *gfid(1));
    EXPECT_EQ(catalogue.listed(kPool, "x"), gfid(1));
    EXPECT_EQ(catalogue.listed(kPool, "y"), gfid(3)) << "what it saw is so";
    catalogue.replace(kPool, catalogue.begin_refresh(), {{"y", file(3)}}, true);
    EXPECT_EQ(catalogue.listed(kPool, "x"), std::nullopt);
}

TEST(TheCatalogue, KeepsWhatWasMadeWhileARefreshWasUnderWay) {
    Catalogue catalogue;
    catalogue.made(kPool, "a/old", file(1));
    const auto since = catalogue.begin_refresh();
    catalogue.made(kPool, "a/new", file(2));
    catalogue.made(kPool, "a/replaced", file(3));
    catalogue.replace(kPool, since, {{"a/replaced", file(9)}}, true);
    EXPECT_EQ(catalogue.listed(kPool, "a/new"), gfid(2)) << "the listing had passed it";
    EXPECT_EQ(catalogue.listed(kPool, "a/replaced"), gfid(3));
    EXPECT_EQ(catalogue.listed(kPool, "a/old"), std::nullopt);
}

TEST(TheCatalogue, LetsTheLaterOfTwoRefreshesWin) {
    Catalogue catalogue;
    const auto first = catalogue.begin_refresh();
    const auto second = catalogue.begin_refresh();
    catalogue.replace(kPool, second, {{"x", file(2)}}, true);
    catalogue.replace(kPool, first, {{"x", file(1)}}, true);
    EXPECT_EQ(catalogue.listed(kPool, "x"), gfid(2));
}

// A client that asks for each volume every few seconds has not asked to see the list anew.
TEST(TheCatalogue, DoesNotTakeAnotherFileForTheListedOneBecauseSomebodyLooked) {
    Catalogue catalogue;
    catalogue.made(kPool, "x", file(1));
    catalogue.seen(kPool, "x", file(2));
    EXPECT_EQ(catalogue.listed(kPool, "x"), gfid(1));
    catalogue.seen(kPool, "y", file(3));
    EXPECT_EQ(catalogue.listed(kPool, "y"), gfid(3));
}

TEST(TheCatalogue, RemembersAFailedCreationOnce) {
    Catalogue catalogue;
    catalogue.note_failed_creation("p", "x");
    EXPECT_FALSE(catalogue.take_failed_creation("p", "y"));
    EXPECT_FALSE(catalogue.take_failed_creation("q", "x")) << "another pool's";
    EXPECT_TRUE(catalogue.take_failed_creation("p", "x"));
    EXPECT_FALSE(catalogue.take_failed_creation("p", "x"));
    catalogue.note_failed_creation("p", "x");
    catalogue.replace(kPool, catalogue.begin_refresh(), {}, true);
    EXPECT_FALSE(catalogue.take_failed_creation("p", "x"));
}

TEST(TheCatalogue, KnowsAFailedCreationWhateverIsListedUnderItsName) {
    Catalogue catalogue;
    catalogue.made(kOther, "x", file(1));
    catalogue.made(kPool, "x", file(1));
    catalogue.note_failed_creation("p", "x");
    EXPECT_TRUE(catalogue.take_failed_creation("p", "x"));
}

// What somebody puts under the name is not what any of them listed there.
TEST(TheCatalogue, KnowsWhatWasDeletedAsGoneUntilTheNextRefresh) {
    Catalogue catalogue;
    catalogue.made(kPool, "x", file(1));
    catalogue.made(kOther, "x", file(1));
    catalogue.deleted("v", "never", *gfid(1));
    catalogue.deleted("v", "x", *gfid(1));
    EXPECT_EQ(catalogue.listed(kPool, "x"), gfid(1));
    EXPECT_EQ(catalogue.listed(kOther, "x"), gfid(1));
    EXPECT_TRUE(catalogue.listed_anywhere("v", "x").empty()) << "the name is free";
    EXPECT_TRUE(catalogue.replace(kOther, catalogue.begin_refresh(), {}, false).empty())
        << "nothing that a brick hides";
    catalogue.replace(kOther, catalogue.begin_refresh(), {}, true);
    EXPECT_EQ(catalogue.listed(kOther, "x"), std::nullopt);
    catalogue.seen(kPool, "x", file(3));
    EXPECT_EQ(catalogue.listed(kPool, "x"), gfid(1));
    catalogue.made(kPool, "x", file(2));
    catalogue.deleted("v", "x", *gfid(1));
    EXPECT_EQ(catalogue.listed(kPool, "x"), gfid(2)) << "another file since";
}

TEST(TheCatalogue, TellsWhichImagesNeedFurtherFiles) {
    Catalogue catalogue;
    KnownFile overlay = file(1);
    ImageInfo info;
    info.backing = "base";
    overlay.image = std::make_shared<const ImageInfo>(info);
    KnownFile plain = file(2);
    plain.image = std::make_shared<const ImageInfo>();
    catalogue.made(kPool, "overlay", overlay);
    catalogue.made(kPool, "plain", plain);
    catalogue.made(kPool, "unread", file(3));
    const auto found = catalogue.dependent_images("v");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].first, "overlay");
    EXPECT_TRUE(catalogue.dependent_images("w").empty());
}

}  // namespace
}  // namespace sfg
