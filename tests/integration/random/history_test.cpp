// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The model itself: what it is sure of, and what not.
#include "tests/integration/random/history.hpp"

#include <gtest/gtest.h>
#include <libvirt/virterror.h>

#include <cerrno>

#include "tests/integration/random/blocks.hpp"

namespace sfg::test::random {
namespace {

using std::chrono::seconds;

Time at(int second) {
    return Time() + seconds(1000 + second);
}

Operation call(Verb verb, const std::string& name, int begin, int end, int code = 0) {
    static int number = 0;
    Operation one;
    one.number = ++number;
    one.host = 1;
    one.verb = verb;
    one.name = name;
    one.begin = at(begin);
    one.end = at(end);
    one.ended = true;
    one.code = code;
    one.format = "raw";
    one.capacity = 1024;
    return one;
}

FileState raw_file() {
    return {true, "gfid", "raw", "", "zeros", 4096};
}

using Yes = std::set<bool>;

std::set<bool> in_the_end(std::vector<Operation> calls, std::vector<Outage> outages = {}) {
    return History({{"a", raw_file()}}, std::move(calls), std::move(outages))
        .may_exist("a", at(100), at(100));
}

TEST(RandomHistory, WhatNobodyTouchedIsThere) {
    EXPECT_EQ(in_the_end({}), Yes{true});
    EXPECT_EQ(in_the_end({call(Verb::create, "a", 1, 2, VIR_ERR_STORAGE_VOL_EXIST),
                          call(Verb::erase, "a", 2, 3, VIR_ERR_RESOURCE_BUSY),
                          call(Verb::erase, "b", 2, 3)}),
              Yes{true});
}

TEST(RandomHistory, OfCallsBehindEachOtherTheLastOneCounts) {
    EXPECT_EQ(in_the_end({call(Verb::erase, "a", 1, 2)}), Yes{false});
    EXPECT_EQ(in_the_end({call(Verb::erase, "a", 1, 2), call(Verb::create, "a", 3, 4)}), Yes{true});
}

TEST(RandomHistory, OfCallsBesideEachOtherEachMayBeTheLast) {
    EXPECT_EQ(in_the_end({call(Verb::erase, "a", 1, 4), call(Verb::create, "a", 3, 5)}),
              (Yes{true, false}));
}

TEST(RandomHistory, AFailureThatDoesNotTellMayHaveHappenedOrNot) {
    EXPECT_EQ(in_the_end({call(Verb::erase, "a", 1, 2, VIR_ERR_SYSTEM_ERROR)}), (Yes{true, false}));
    // Until somebody who succeeds comes behind it.
    EXPECT_EQ(in_the_end({call(Verb::erase, "a", 1, 2, VIR_ERR_SYSTEM_ERROR),
                          call(Verb::erase, "a", 3, 4)}),
              Yes{false});
    // Unless its caller was left behind with it.
    EXPECT_EQ(in_the_end({call(Verb::erase, "a", 1, 12, VIR_ERR_SYSTEM_ERROR),
                          call(Verb::erase, "a", 13, 14), call(Verb::create, "a", 15, 16)}),
              (Yes{true, false}));
}

TEST(RandomHistory, AFailedCreationOverFuseMayTakeAwayWhatSomebodyElseMade) {
    EXPECT_EQ(in_the_end({call(Verb::fuse_create, "a", 1, 4, EIO)}), (Yes{true, false}));
    EXPECT_EQ(in_the_end({call(Verb::fuse_create, "a", 1, 4, EIO), call(Verb::erase, "a", 2, 3),
                          call(Verb::create, "a", 5, 6)}),
              Yes{true});
}

TEST(RandomHistory, WhatIsSaidDuringAnOutageMayBeAboutASecondAttempt) {
    const std::vector<Operation> gone{call(Verb::erase, "a", 1, 2, VIR_ERR_NO_STORAGE_VOL)};
    EXPECT_EQ(in_the_end(gone), Yes{true});
    EXPECT_EQ(in_the_end(gone, {{at(0), at(1)}}), (Yes{true, false}));
}

TEST(RandomHistory, ContentsAreThoseOfTheOnlyOneWhoCanHaveWrittenThem) {
    Operation write = call(Verb::upload, "a", 1, 3);
    write.block = "mine";
    Operation other = call(Verb::upload, "a", 2, 4);
    other.block = "theirs";
    const std::map<std::string, FileState> before{{"a", raw_file()}};
    const History one(before, {write}, {});
    ASSERT_TRUE(one.state("a", at(5), at(6)));
    EXPECT_EQ(one.state("a", at(5), at(6))->block, "mine");
    EXPECT_EQ(one.state("a", at(5), at(6))->gfid, "gfid");
    EXPECT_EQ(one.state("a", at(0), at(0))->block, "zeros");
    EXPECT_FALSE(one.state("a", at(2), at(2)));
    EXPECT_FALSE(History(before, {write, other}, {}).state("a", at(5), at(6)));
    other.was_moving = true;
    other.code = VIR_ERR_RESOURCE_BUSY;
    EXPECT_FALSE(History(before, {other, write}, {}).state("a", at(5), at(6)));
}

TEST(RandomHistory, AnOverlayReadsWhatItsBaseHasWhileNobodyTouchesThat) {
    Operation overlay = call(Verb::create, "b", 1, 2);
    overlay.format = "qcow2";
    overlay.base = "a";
    const std::map<std::string, FileState> before{{"a", raw_file()}};
    const auto made = History(before, {overlay}, {}).state("b", at(5), at(6));
    ASSERT_TRUE(made);
    EXPECT_EQ(made->base, "a");
    EXPECT_EQ(made->block, "zeros");
    EXPECT_EQ(made->capacity, 4096u);
    const auto later =
        History(before, {overlay, call(Verb::upload, "a", 3, 4)}, {}).state("b", at(5), at(6));
    ASSERT_TRUE(later);
    EXPECT_FALSE(later->block);
}

TEST(RandomHistory, ASizeIsKnownByTheLastCallWhateverWasBefore) {
    // Of these two one was the last, and then two came that each say what is.
    const History history({{"a", raw_file()}},
                          {call(Verb::wipe, "a", 1, 3), call(Verb::upload, "a", 2, 4),
                           call(Verb::resize, "a", 5, 6), call(Verb::fuse_truncate, "a", 7, 8)},
                          {});
    EXPECT_FALSE(history.state("a", at(4), at(4)));
    EXPECT_EQ(history.state("a", at(9), at(9))->capacity, 1024u);
}

TEST(RandomHistory, AMoveTakesEverythingAlong) {
    Operation move = call(Verb::fuse_move, "a", 1, 2);
    move.to = "b";
    const History history({{"a", raw_file()}}, {move}, {});
    EXPECT_EQ(history.may_exist("a", at(5), at(5)), Yes{false});
    EXPECT_EQ(history.may_exist("b", at(5), at(5)), Yes{true});
    EXPECT_EQ(history.state("b", at(5), at(5))->gfid, "gfid");
}

}  // namespace
}  // namespace sfg::test::random
