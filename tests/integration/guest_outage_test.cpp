// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Guests' disks while gluster goes away and comes back.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/support/guest_fixture.hpp"

namespace sfg::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

class GuestOutageTest : public GuestTest {
  protected:
    void SetUp() override {
        GuestTest::SetUp();
        ASSERT_TRUE(done(pool().create(qcow2("base", 64 * kMiB))));
        ASSERT_TRUE(done(pool().create(overlay("disk", "base"))));
    }
    void TearDown() override {
        lab().node(1, "resume");
        const Ran started = lab().node(1, "start");
        EXPECT_TRUE(started.ok()) << started.output;
        GuestTest::TearDown();
    }

    static double since(Clock::time_point start) {
        return std::chrono::duration<double>(Clock::now() - start).count();
    }
    bool starts() {
        const auto guest = run({on_gluster("disk")});
        return bool(guest);
    }
};

}  // namespace

TEST_F(GuestOutageTest, AServerThatIsDownIsToldInTime) {
    const auto start = Clock::now();
    EXPECT_TRUE(refused(run({on_gluster("disk", {lab().refusing_host()})}), VIR_ERR_SYSTEM_ERROR,
                        lab().refusing_host() + ":24007: Connection refused"));
    EXPECT_LT(since(start), 15);
}

TEST_F(GuestOutageTest, AServerThatIsSilentIsToldInTime) {
    const auto start = Clock::now();
    EXPECT_TRUE(refused(run({on_gluster("disk", {lab().silent_host()})}), VIR_ERR_SYSTEM_ERROR,
                        lab().silent_host() + ":24007: no answer"));
    EXPECT_LT(since(start), 15);
}

TEST_F(GuestOutageTest, AVolumeThatDoesNotExistIsTold) {
    EXPECT_TRUE(refused(run({network_disk("nosuchvolume", "disk", {lab().gluster_host()})}),
                        VIR_ERR_OPERATION_FAILED, "gluster volume 'nosuchvolume' does not exist"));
}

TEST_F(GuestOutageTest, AServerThatComesBackIsUsedAgain) {
    ASSERT_TRUE(starts());
    ASSERT_TRUE(lab().node(1, "stop").ok());
    const auto start = Clock::now();
    const auto refusal = run({on_gluster("disk")}).refusal;
    EXPECT_EQ(refusal.code, VIR_ERR_SYSTEM_ERROR) << refusal.message;
    EXPECT_NE(refusal.message.find("gluster disk"), std::string::npos) << refusal.message;
    EXPECT_LT(since(start), 30);
    ASSERT_TRUE(lab().node(1, "start").ok());
    EXPECT_TRUE(comes_true([&] { return starts(); }, seconds(30)));
}

// libvirt itself holds the lock of the guest that is being started, which who lists all guests
// waits for; nobody else does.
TEST_F(GuestOutageTest, ABrickThatStallsIsToldInTimeAndHoldsUpNoOther) {
    ASSERT_TRUE(starts());
    const std::string disk = local("disk.qcow2");
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + quoted(disk) + " 1M && chmod 711 " +
                      quoted(lab().scratch()))
                    .ok());
    const Client second(lab().path("LIBVIRT_URI"));
    const auto other = Guest::start(second, quick_guest(lab(), "other", {file_disk(disk)}));
    ASSERT_TRUE(done(other));
    ASSERT_TRUE(lab().node(1, "pause").ok());
    std::atomic<bool> ended = false;
    double slowest = 0;
    std::thread watcher([&] {
        while (!ended) {
            const auto asked = Clock::now();
            EXPECT_TRUE(done(other->disk_info("vda")));
            EXPECT_TRUE(done(second.pool(pool_name())));
            slowest = std::max(slowest, since(asked));
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    });
    const auto start = Clock::now();
    EXPECT_TRUE(refused(run({on_gluster("disk")}), VIR_ERR_SYSTEM_ERROR, "has not answered"));
    EXPECT_LT(since(start), 25);
    ended = true;
    watcher.join();
    EXPECT_LT(slowest, 2);
    ASSERT_TRUE(lab().node(1, "resume").ok());
    EXPECT_TRUE(comes_true([&] { return starts(); }, seconds(30)));
}

// libvirt gives the disk back to root in a forked child, which asks libvirtd for it.
TEST_F(GuestOutageTest, AGuestCanBeDestroyedWhileABrickStalls) {
    auto guest = run({on_gluster("disk")});
    ASSERT_TRUE(done(guest));
    ASSERT_TRUE(lab().node(1, "pause").ok());
    const auto start = Clock::now();
    EXPECT_TRUE(done(guest->destroy()));
    RecordProperty("seconds", std::to_string(since(start)));
    EXPECT_LT(since(start), 60);
}

}  // namespace sfg::test
