// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Three nodes with a copy each: one may be missing.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/support/replica_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

class ReplicaTest : public ReplicaPoolTest {
  protected:
    // libvirtd of the second host with no connection to gluster yet.
    void fresh_second_host() {
        const Ran started = lab().libvirtd_with_ours(2);
        ASSERT_TRUE(started.ok()) << started.output;
        reconnect(2);
    }

    static double since(Clock::time_point start) {
        return std::chrono::duration<double>(Clock::now() - start).count();
    }
};

}  // namespace

TEST_F(ReplicaTest, VolumesAreOnAllNodes) {
    ASSERT_TRUE(done(pool().create(qcow2("d/a"))));
    for (int node = 1; node <= 3; ++node) EXPECT_TRUE(fs::exists(brick_of(node, "d/a"))) << node;
    ASSERT_TRUE(done(pool().volume("d/a")->erase()));
    for (int node = 1; node <= 3; ++node) EXPECT_FALSE(fs::exists(brick_of(node, "d"))) << node;
}

TEST_F(ReplicaTest, SpaceIsThatOfOneCopy) {
    ASSERT_TRUE(done(pool().refresh()));
    VolumeSpec full = raw("full", 32 * kMiB);
    full.allocation = full.capacity;
    ASSERT_TRUE(done(pool().create(full)));
    const auto info = pool().volume("full")->info();
    EXPECT_GE(info->allocation, 32 * kMiB);
    EXPECT_LT(info->allocation, 40 * kMiB);
}

TEST_F(ReplicaTest, APoolWhoseFirstHostIsDownStartsByTheSecond) {
    ASSERT_TRUE(done(pool().create(qcow2("a"))));
    ASSERT_TRUE(lab().node(1, "stop").ok());
    fresh_second_host();
    const auto start = Clock::now();
    auto all = PoolTest::start(with_all_hosts(), 2);
    ASSERT_TRUE(done(all));
    EXPECT_LT(since(start), 5);
    EXPECT_TRUE(all->lists("a"));
    EXPECT_TRUE(done(all->create(overlay("b", "a"))));
    EXPECT_TRUE(done(all->volume("b")->erase()));
}

TEST_F(ReplicaTest, APoolWhoseFirstHostIsUnpluggedStartsByTheSecond) {
    ASSERT_TRUE(done(pool().create(qcow2("a"))));
    cut(1);
    fresh_second_host();
    const auto start = Clock::now();
    auto all = define(with_all_hosts(), 2);
    ASSERT_TRUE(done(all));
    // Gluster waits ten seconds for the brick behind the cable before it serves the others', which
    // may be more than the limit for one call.
    EXPECT_TRUE(comes_true([&] { return all->start().code == VIR_ERR_OK; }, seconds(15)));
    EXPECT_LT(since(start), 15);
    EXPECT_TRUE(all->lists("a"));
}

TEST_F(ReplicaTest, TheLossOfANodeIsNotNoticed) {
    auto all = PoolTest::start(with_all_hosts(), 2);
    ASSERT_TRUE(done(all));
    ASSERT_TRUE(done(all->create(qcow2("before"))));
    ASSERT_TRUE(lab().node(1, "stop").ok());
    ASSERT_TRUE(done(all->create(qcow2("during"))));
    ASSERT_TRUE(done(all->create(overlay("on", "before"))));
    EXPECT_TRUE(done(all->refresh()));
    EXPECT_TRUE(all->lists("during"));
    EXPECT_TRUE(done(all->volume("on")->erase()));
    EXPECT_FALSE(fs::exists(brick_of(1, "during")));
    ASSERT_TRUE(lab().node(1, "start").ok());
    heal();
    EXPECT_TRUE(fs::exists(brick_of(1, "during")));
    EXPECT_TRUE(done(all->refresh()));
    EXPECT_TRUE(all->lists("during"));
}

TEST_F(ReplicaTest, WithoutAQuorumNothingIsMadeAndAllIsWellAfterwards) {
    ASSERT_TRUE(done(pool().create(qcow2("a"))));
    ASSERT_TRUE(lab().node(2, "kill-bricks").ok());
    ASSERT_TRUE(lab().node(3, "kill-bricks").ok());
    const auto answer = pool().create(qcow2("b"));
    EXPECT_FALSE(answer);
    EXPECT_NE(answer.refusal.code, VIR_ERR_INTERNAL_ERROR) << answer.refusal.message;
    ASSERT_TRUE(lab().node(2, "start-bricks").ok());
    ASSERT_TRUE(lab().node(3, "start-bricks").ok());
    EXPECT_TRUE(comes_true(
        [&] {
            if (!pool().is_active() && pool().start().code != VIR_ERR_OK) return false;
            return pool().refresh().code == VIR_ERR_OK && bool(pool().create(qcow2("c")));
        },
        seconds(30)));
    EXPECT_TRUE(pool().lists("a"));
    EXPECT_FALSE(pool().lists("b"));
}

TEST_F(ReplicaTest, OfTwoHostsThatCreateOneNameExactlyOneWins) {
    auto other = pool_on(2);
    constexpr int kRounds = 30;
    std::vector<std::pair<int, int>> codes(kRounds);
    std::atomic<int> arrived{0};
    auto contend = [&](const Pool& on, bool first) {
        for (int round = 0; round < kRounds; ++round) {
            ++arrived;
            while (arrived < 2 * (round + 1)) std::this_thread::yield();
            const auto answer = on.create(qcow2("d/v" + std::to_string(round)));
            auto& pair = codes[static_cast<std::size_t>(round)];
            (first ? pair.first : pair.second) = answer.refusal.code;
        }
    };
    std::thread second([&] { contend(other, false); });
    contend(pool(), true);
    second.join();
    for (int round = 0; round < kRounds; ++round) {
        const auto [mine, theirs] = codes[static_cast<std::size_t>(round)];
        EXPECT_EQ(mine + theirs, static_cast<int>(VIR_ERR_STORAGE_VOL_EXIST)) << mine << theirs;
        for (int node = 1; node <= 3; ++node)
            EXPECT_TRUE(fs::exists(brick_of(node, "d/v" + std::to_string(round))))
                << "node " << node << ", round " << round;
    }
}

}  // namespace sfg::test
