// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a pool on several bricks does while all of them are up, and that the fixture does as it
// says.
#include <gtest/gtest.h>

#include "tests/support/distributed_fixture.hpp"

namespace sfg::test {
namespace {

class BricksTest : public DistributedPoolTest, public testing::WithParamInterface<VolumeKind> {
  protected:
    BricksTest() : DistributedPoolTest(GetParam()) {}
};

}  // namespace

TEST_P(BricksTest, VolumesAreWhereTheirNamesHaveThem) {
    for (int brick = 1; brick <= kind().bricks; ++brick) {
        const auto names = names_on(brick, 2, "instances/b" + std::to_string(brick) + "-");
        for (const std::string& name : names) {
            ASSERT_TRUE(done(pool().create(qcow2(name, 64 * kMiB))));
            const auto with = bricks_with(name);
            EXPECT_EQ(with.size(), static_cast<std::size_t>(kind().in_a_set)) << name;
            EXPECT_EQ((brick - 1) / kind().in_a_set, (with.at(0) - 1) / kind().in_a_set) << name;
        }
    }
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names().size(), static_cast<std::size_t>(2 * kind().bricks + 1));
}

TEST_P(BricksTest, ABrickThatWasAwayIsOneOfThemAgain) {
    const std::string name = name_on(1, "a");
    ASSERT_TRUE(done(pool().create(qcow2(name, 64 * kMiB))));
    kill_brick(1);
    start_brick(1);
    heal();
    EXPECT_TRUE(done(pool().volume(name)->info()));
    EXPECT_TRUE(done(pool().create(qcow2(name_on(1, "b"), 64 * kMiB))));
    EXPECT_TRUE(done(pool().volume(name)->erase()));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, BricksTest,
    testing::ValuesIn(cases<VolumeKind>({two_bricks(), two_pairs(), with_an_arbiter()},
                                        {one_pair(), three_copies(), dispersed()})),
    [](const auto& with) { return label_of(with.param); });

}  // namespace sfg::test
