// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a brick that is down hides is still there: nothing that its files need is taken away, and
// nothing is made in their places.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/distributed_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

// A kind of volume and which of its bricks are down.
struct Outage {
    std::string name;
    VolumeKind kind;
    std::vector<int> down;
};

class OutageTest : public DistributedPoolTest {
  protected:
    explicit OutageTest(Outage outage)
        : DistributedPoolTest(outage.kind), outage_(std::move(outage)) {}

    // A base, and overlays of it on the bricks that will be down: one by libvirt, one by qemu-img.
    void make_base_and_overlays() {
        const int last = kind().bricks;
        const int hidden = outage_.down.at(0);
        base_ = name_on(last, "image_cache/base");
        const Names overlays = names_on(hidden, 2, "instances/ov");
        ASSERT_TRUE(done(pool().create(qcow2(base_, kTakenFrom))));
        ASSERT_TRUE(done(pool().create(overlay(overlays[0], base_))));
        make_overlay(overlays[1], "../" + base_);
        overlays_ = overlays;
        before_ = read_file(base_);
        identity_ = gfid(base_);
    }

    void begin_outage() {
        for (const int brick : outage_.down) kill_brick(brick);
    }
    void end_outage() {
        for (const int brick : outage_.down) start_brick(brick);
        heal();
    }
    const std::vector<int>& down() const { return outage_.down; }

    Volume base() { return *pool().volume(base_); }
    const std::string& base_name() const { return base_; }

    void expect_base_is_as_before() {
        EXPECT_EQ(gfid(base_), identity_);
        EXPECT_TRUE(same_bytes(read_file(base_), before_));
    }

    void expect_needed() {
        for (const auto& taking : takings())
            EXPECT_TRUE(refused(taking.from(base()), VIR_ERR_RESOURCE_BUSY, "it is the base of"))
                << taking.name;
        expect_base_is_as_before();
    }

    // Each overlay opens, with all of its bases.
    void expect_overlays_open() {
        for (const std::string& name : overlays_) {
            const Ran chain =
                shell("qemu-img info -U --backing-chain " + quoted(fuse(name)) + " 2>&1");
            EXPECT_TRUE(chain.ok()) << chain.output;
        }
    }

  private:
    Outage outage_;
    std::string base_;
    Names overlays_;
    std::string before_;
    std::string identity_;
};

struct Loss {
    Outage outage;
    Taking taking;
};

std::string label_of(const Loss& loss) {
    return loss.outage.name + "_" + loss.taking.name;
}
void PrintTo(const Loss& loss, std::ostream* out) {
    *out << label_of(loss);
}
void PrintTo(const Outage& outage, std::ostream* out) {
    *out << outage.name;
}

class HiddenOverlaysTest : public OutageTest, public testing::WithParamInterface<Loss> {
  protected:
    HiddenOverlaysTest() : OutageTest(GetParam().outage) {}
};

// Each way to take from a volume in the first outage; by deletion in the second, and the others too
// with every case.
std::vector<Loss> losses(const Outage& first, const Outage& second) {
    std::vector<Loss> all;
    for (const auto& taking : takings()) all.push_back({first, taking});
    for (const auto& taking : takings())
        if (every_case() || taking.name == "delete") all.push_back({second, taking});
    return all;
}
// By deletion in each, and otherwise with every case.
std::vector<Loss> losses_by_deletion(const Outage& first, const Outage& second) {
    auto all = losses(first, second);
    if (!every_case()) all.erase(all.begin(), all.begin() + 3);
    return all;
}

// What is left has no quorum.
class NoQuorumTest : public OutageTest, public testing::WithParamInterface<Loss> {
  protected:
    NoQuorumTest() : OutageTest(GetParam().outage) {}
};

// What is down is on others as well.
class RedundantBrickTest : public OutageTest, public testing::WithParamInterface<Outage> {
  protected:
    RedundantBrickTest() : OutageTest(GetParam()) {}
};

// The first of the lab's own two bricks.
class HiddenVolumesTest : public OutageTest {
  protected:
    HiddenVolumesTest() : OutageTest({"", two_bricks(), {1}}) {}

    void SetUp() override {
        OutageTest::SetUp();
        hidden_ = name_on(1, "instances/hidden");
        seen_ = name_on(2, "instances/seen");
        ASSERT_TRUE(done(pool().create(raw(hidden_))));
        ASSERT_TRUE(done(upload(*pool().volume(hidden_), noise(kMiB))));
        ASSERT_TRUE(done(pool().create(raw(seen_))));
        ASSERT_TRUE(done(pool().refresh()));
        listed_ = pool().volume_names();
        identity_ = gfid(hidden_);
    }

    void expect_hidden_is_whole() {
        EXPECT_EQ(bricks_with(hidden_).size(), 1u);
        EXPECT_EQ(gfid(hidden_), identity_);
        EXPECT_TRUE(same_bytes(read_file(hidden_), noise(kMiB)));
    }

    // Over the parent directory of all tests.
    PoolSpec wider() const {
        PoolSpec outer = spec();
        outer.name += "-wider";
        outer.directory = fs::path(outer.directory).parent_path();
        return outer;
    }
    std::string name_in_wider(const std::string& name) const {
        return fs::path(directory_in_volume()).filename().string() + "/" + name;
    }

    // The file stays where it is, under a name by which it would be on the brick that stays up.
    // That brick has a note of where it is.
    void rename_to_the_other_brick() {
        const std::string renamed = name_on(2, "instances/renamed");
        fs::rename(fuse(hidden_), fuse(renamed));
        hidden_ = renamed;
        ASSERT_TRUE(done(pool().refresh()));
        ASSERT_EQ(brick_of(renamed), 1);
        listed_ = pool().volume_names();
    }

    // The same without the note.
    void move_without_a_note() {
        ASSERT_NO_FATAL_FAILURE(rename_to_the_other_brick());
        const std::string note = brick_path(2) + directory_in_volume() + "/" + hidden_;
        ASSERT_TRUE(fs::exists(note));
        fs::remove(note);
        const std::string by_id = brick_path(2) + "/.glusterfs/" + identity_.substr(0, 2) + "/" +
                                  identity_.substr(2, 2) + "/" + identity_.substr(0, 8) + "-" +
                                  identity_.substr(8, 4) + "-" + identity_.substr(12, 4) + "-" +
                                  identity_.substr(16, 4) + "-" + identity_.substr(20);
        ASSERT_TRUE(fs::remove(by_id)) << by_id;
    }

    std::string hidden_, seen_;
    Names listed_;
    std::string identity_;
};

}  // namespace

TEST_P(HiddenOverlaysTest, NothingIsTakenFromTheirBase) {
    ASSERT_NO_FATAL_FAILURE(make_base_and_overlays());
    begin_outage();
    EXPECT_TRUE(hidden_by(GetParam().taking.from(base()), down()));
    end_outage();
    expect_needed();
    expect_overlays_open();
}

INSTANTIATE_TEST_SUITE_P(Outages, HiddenOverlaysTest,
                         testing::ValuesIn(losses({"one_of_two_bricks", two_bricks(), {1}},
                                                  {"a_whole_pair", two_pairs(), {1, 2}})),
                         [](const auto& with) { return label_of(with.param); });

TEST_P(NoQuorumTest, NothingIsTakenFromABase) {
    ASSERT_NO_FATAL_FAILURE(make_base_and_overlays());
    begin_outage();
    EXPECT_NE(GetParam().taking.from(base()).code, VIR_ERR_OK);
    end_outage();
    expect_needed();
    expect_overlays_open();
}

INSTANTIATE_TEST_SUITE_P(
    Outages, NoQuorumTest,
    testing::ValuesIn(losses_by_deletion({"two_of_three_copies", three_copies(), {1, 2}},
                                         {"two_of_three_pieces", dispersed(), {1, 2}})),
    [](const auto& with) { return label_of(with.param); });

TEST_P(RedundantBrickTest, WhenItIsDownNothingIsHidden) {
    ASSERT_NO_FATAL_FAILURE(make_base_and_overlays());
    std::string spare, other;
    spare = name_on(down()[0], "spare");
    other = name_on(kind().bricks, "other");
    for (const std::string& name : {spare, other})
        ASSERT_TRUE(done(pool().create(qcow2(name, kTakenFrom))));
    ASSERT_TRUE(done(pool().refresh()));
    const Names listed = pool().volume_names();
    hear();
    begin_outage();
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), listed);
    expect_needed();
    for (const std::string& name : {spare, other})
        for (const auto& taking : takings())
            EXPECT_TRUE(done(taking.from(*pool().volume(name)))) << name << ": " << taking.name;
    ASSERT_TRUE(done(pool().create(qcow2(spare, kTakenFrom))));
    EXPECT_TRUE(done(pool().create(overlay(other, base_name()))));
    EXPECT_EQ(heard().find(brick_path(down()[0])), std::string::npos);
    end_outage();
    EXPECT_TRUE(done(pool().volume(spare)->erase()));
    expect_needed();
    expect_overlays_open();
}

INSTANTIATE_TEST_SUITE_P(Outages, RedundantBrickTest,
                         testing::Values(Outage{"first_of_a_pair", two_pairs(), {1}},
                                         Outage{"second_of_a_pair", two_pairs(), {2}},
                                         Outage{"first_of_the_other_pair", two_pairs(), {3}},
                                         Outage{"one_of_three_copies", three_copies(), {1}},
                                         Outage{"a_copy_beside_an_arbiter", with_an_arbiter(), {1}},
                                         Outage{"an_arbiter", with_an_arbiter(), {3}},
                                         Outage{"a_piece_of_three", dispersed(), {1}}),
                         [](const auto& with) { return with.param.name; });

TEST_F(HiddenVolumesTest, ARefreshKeepsThemAndNamesTheBrick) {
    hear();
    begin_outage();
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), listed_);
    EXPECT_NE(heard().find(brick_path(1)), std::string::npos);
    end_outage();
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), listed_);
    expect_hidden_is_whole();
    EXPECT_TRUE(done(pool().volume(hidden_)->erase()));
    EXPECT_TRUE(done(pool().volume(seen_)->erase()));
}

TEST_F(HiddenVolumesTest, ManyRefreshesKeepThem) {
    begin_outage();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), listed_);
    end_outage();
    expect_hidden_is_whole();
}

TEST_F(HiddenVolumesTest, TheirNamesAreTaken) {
    begin_outage();
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_FALSE(pool().create(raw(hidden_)));
    end_outage();
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), listed_);
    expect_hidden_is_whole();
}

// Its file is where the old name had it, and the new one is looked for on the brick that is up.
TEST_F(HiddenVolumesTest, TheNameOfARenamedOneIsTaken) {
    rename_to_the_other_brick();
    begin_outage();
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_FALSE(pool().create(raw(hidden_)));
    EXPECT_FALSE(pool().clone(raw(hidden_), *pool().volume(seen_)));
    end_outage();
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), listed_);
    expect_hidden_is_whole();
}

// As after `rebalance fix-layout`: the brick that is looked at first has no note of where the file
// is.
TEST_F(HiddenVolumesTest, TheNameOfOneOnABrickThatItsNameDoesNotTellIsTaken) {
    move_without_a_note();
    begin_outage();
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_FALSE(pool().create(raw(hidden_)));
    EXPECT_FALSE(pool().clone(raw(hidden_), *pool().volume(seen_)));
    end_outage();
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), listed_);
    expect_hidden_is_whole();
}

// A pool that was never refreshed while they could be seen.
TEST_F(HiddenVolumesTest, TheirNamesAreTakenInAPoolThatOverlaps) {
    move_without_a_note();
    begin_outage();
    auto outer = start(wider());
    ASSERT_TRUE(done(outer));
    EXPECT_FALSE(outer->create(raw(name_in_wider(hidden_))));
    EXPECT_FALSE(outer->clone(raw(name_in_wider(hidden_)), *pool().volume(seen_)));
    end_outage();
    ASSERT_TRUE(done(pool().refresh()));
    expect_hidden_is_whole();
    ASSERT_TRUE(done(outer->refresh()));
    EXPECT_TRUE(outer->lists(name_in_wider(hidden_)));
}

TEST_F(HiddenVolumesTest, WhatAnotherHostDeletedSinceVanishesAtTheFirstWholeRefresh) {
    Pool other = pool_on(2);
    begin_outage();
    ASSERT_TRUE(done(pool().refresh()));
    end_outage();
    ASSERT_TRUE(done(other.volume(hidden_)->erase()));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_FALSE(pool().lists(hidden_));
    EXPECT_TRUE(pool().lists(seen_));
    EXPECT_TRUE(done(pool().create(raw(hidden_))));
}

TEST_F(HiddenVolumesTest, WhatIsSeenCanBeUsed) {
    begin_outage();
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(done(pool().volume(seen_)->info()));
    EXPECT_TRUE(done(download(*pool().volume(seen_))));
    EXPECT_TRUE(done(resize(*pool().volume(seen_), 2 * kMiB)));
    end_outage();
    EXPECT_TRUE(done(download(*pool().volume(hidden_))));
}

}  // namespace sfg::test
