// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Gluster goes away and comes back.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

class OutageTest : public PoolTest {
  protected:
    void TearDown() override {
        // Whatever a test did, gluster is there for the next.
        lab().node(1, "resume");
        const Ran started = lab().node(1, "start");
        EXPECT_TRUE(started.ok()) << started.output;
        PoolTest::TearDown();
    }

    static double since(Clock::time_point start) {
        return std::chrono::duration<double>(Clock::now() - start).count();
    }

    // The pool works again, as it is defined: started anew where a failed refresh has stopped it.
    bool serves() {
        if (!pool().is_active() && pool().start().code != VIR_ERR_OK) return false;
        return pool().refresh().code == VIR_ERR_OK;
    }
};

}  // namespace

TEST_F(OutageTest, APoolServesAgainWhenGlusterIsBack) {
    ASSERT_TRUE(done(pool().create(qcow2("a"))));
    ASSERT_TRUE(lab().node(1, "stop").ok());
    auto start = Clock::now();
    const auto refusal = pool().create(raw("b"));
    EXPECT_FALSE(refusal);
    EXPECT_NE(refusal.refusal.code, VIR_ERR_INTERNAL_ERROR) << refusal.refusal.message;
    EXPECT_LT(since(start), 25);
    start = Clock::now();
    EXPECT_TRUE(refused(pool().refresh(), VIR_ERR_SYSTEM_ERROR));
    EXPECT_LT(since(start), 15);

    ASSERT_TRUE(lab().node(1, "start").ok());
    start = Clock::now();
    ASSERT_TRUE(comes_true([&] { return serves(); }, seconds(30)));
    RecordProperty("served_again_after_seconds", std::to_string(since(start)));
    EXPECT_TRUE(pool().lists("a"));
    EXPECT_FALSE(pool().lists("b"));
    ASSERT_TRUE(done(pool().create(raw("b"))));
    EXPECT_TRUE(done(pool().volume("a")->erase()));
}

TEST_F(OutageTest, AnOutageThatNobodyNoticedIsNotNoticed) {
    ASSERT_TRUE(done(pool().create(qcow2("a"))));
    ASSERT_TRUE(lab().node(1, "stop").ok());
    ASSERT_TRUE(lab().node(1, "start").ok());
    // gluster's client takes up to three seconds to come back by itself.
    EXPECT_TRUE(comes_true([&] { return bool(pool().create(raw("b"))); }, seconds(20)));
    EXPECT_TRUE(pool().is_active());
    EXPECT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(pool().lists("a"));
}

TEST_F(OutageTest, APausedBrickDoesNotHoldUpOtherCalls) {
    ASSERT_TRUE(done(pool().create(qcow2("a"))));
    auto local = client().define(
        "<pool type='dir'><name>outage-local</name><target><path>/srv/outage-local</path></target>"
        "</pool>");
    ASSERT_TRUE(done(local));
    ASSERT_TRUE(done(local->build()));
    ASSERT_TRUE(done(local->start()));
    ASSERT_TRUE(lab().node(1, "pause").ok());

    Refusal refreshed;
    double took = 0;
    std::thread refresher([&, uri = lab().path("LIBVIRT_URI")] {
        const Client own(uri);
        const auto same = own.pool(pool_name());
        const auto start = Clock::now();
        refreshed = same ? same->refresh() : same.refusal;
        took = since(start);
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const auto start = Clock::now();
    // Another pool is served meanwhile, and everybody may look at all of them: at the most they
    // wait for the time limit.
    virStoragePoolPtr* pools = nullptr;
    const int count = virConnectListAllStoragePools(client().get(), &pools, 0);
    EXPECT_GE(count, 2);
    for (int i = 0; i < count; ++i) virStoragePoolFree(pools[i]);
    std::free(pools);
    EXPECT_TRUE(done(local->refresh()));
    EXPECT_TRUE(done(local->create(raw("x"))));
    EXPECT_TRUE(done(local->volume("x")->erase()));
    EXPECT_LT(since(start), 15);
    refresher.join();
    EXPECT_TRUE(refused(refreshed, VIR_ERR_SYSTEM_ERROR));
    EXPECT_LT(took, 15);
    // And so is a second try.
    const auto again = Clock::now();
    if (pool().is_active()) {
        EXPECT_TRUE(refused(pool().refresh(), VIR_ERR_SYSTEM_ERROR));
    } else {
        EXPECT_TRUE(refused(pool().start(), VIR_ERR_SYSTEM_ERROR));
    }
    EXPECT_LT(since(again), 15);

    ASSERT_TRUE(lab().node(1, "resume").ok());
    EXPECT_TRUE(comes_true([&] { return serves(); }, seconds(30)));
    EXPECT_TRUE(pool().lists("a"));
    client().forget("outage-local");
}

TEST_F(OutageTest, CallsOnAPausedBrickEndInTime) {
    ASSERT_TRUE(done(pool().create(qcow2("a"))));
    auto volume = pool().volume("a");
    ASSERT_TRUE(done(volume));
    ASSERT_TRUE(lab().node(1, "pause").ok());
    for (const auto& [what, call] : std::vector<std::pair<const char*, std::function<Refusal()>>>{
             {"info", [&] { return volume->info().refusal; }},
             {"create", [&] { return pool().create(raw("b")).refusal; }},
             {"delete", [&] { return volume->erase(); }},
             {"stop", [&] { return pool().stop(); }}}) {
        const auto start = Clock::now();
        const Refusal refusal = call();
        EXPECT_LT(since(start), 25) << what;
        EXPECT_NE(refusal.code, VIR_ERR_INTERNAL_ERROR) << what << ": " << refusal.message;
        if (what != std::string("stop")) {
            EXPECT_NE(refusal.code, VIR_ERR_OK) << what;
        }
    }
    ASSERT_TRUE(lab().node(1, "resume").ok());
    EXPECT_TRUE(comes_true([&] { return serves(); }, seconds(30)));
    // What was asked of a silent gluster may have been done all the same, as a whole.
    EXPECT_TRUE(comes_true(
        [&] {
            pool().refresh();
            return bool(pool().create(raw("c")));
        },
        seconds(30)));
}

TEST_F(OutageTest, LibvirtdStopsWhileGlusterIsAway) {
    Pool other = pool_on(2);
    ASSERT_TRUE(lab().node(1, "pause").ok());
    const auto start = Clock::now();
    const Ran stopped = lab().libvirtd(2, "stop", {"--timeout", "20"});
    EXPECT_TRUE(stopped.ok()) << stopped.output;
    EXPECT_LT(since(start), 15);
    ASSERT_TRUE(lab().node(1, "resume").ok());
    const Ran started = lab().libvirtd_with_ours(2);
    EXPECT_TRUE(started.ok()) << started.output;
    reconnect(2);
}

}  // namespace sfg::test
