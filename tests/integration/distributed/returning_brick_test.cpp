// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A connection that was made while a brick was away serves all of the volume once it is back.
#include <gtest/gtest.h>

#include "tests/support/distributed_fixture.hpp"

namespace sfg::test {

namespace {
class ReturningBrickTest : public DistributedPoolTest {};
}  // namespace

TEST_F(ReturningBrickTest, NamesOfAllBricksCanBeMadeInTheRoot) {
    kill_brick(2);
    // A new process, and in it a new connection.
    ASSERT_TRUE(lab().libvirtd_with_ours(1).ok());
    reconnect(1);
    PoolSpec root = spec();
    root.name += "-root";
    root.directory = "/";
    const auto pool = start(root);
    ASSERT_TRUE(done(pool));
    start_brick(2);
    for (int i = 0; i < 16; ++i) {
        const auto made = pool->create(raw("returning-" + std::to_string(i)));
        EXPECT_TRUE(done(made));
        if (made) {
            EXPECT_TRUE(done(made->erase()));
        }
    }
}

}  // namespace sfg::test
