// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A daemon that runs for months: what is done over and over leaves nothing behind in it.
#include "tests/bench/growth.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/guest_fixture.hpp"

namespace sfg::test {
namespace {

class GrowthTest : public GuestTest {
  protected:
    // A libvirtd that nothing else has made grow or given room.
    void SetUp() override {
        ASSERT_TRUE(lab().libvirtd_with_ours(1).ok());
        GuestTest::SetUp();
    }
    static pid_t libvirtd() { return static_cast<pid_t>(std::stol(lab().path("LIBVIRTD_PID"))); }
};

}  // namespace

TEST_F(GrowthTest, AThousandVolumesComeAndGo) {
    // Some that stay, so that a refresh has something to do.
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(done(pool().create(qcow2("stays-" + std::to_string(i)))));

    const bench::Growth growth =
        bench::measure_growth(libvirtd(), 1000, bench::volumes_come_and_go(pool()));
    EXPECT_LT(growth.resident(), static_cast<long long>(2 * kMiB));
    // Worker threads come and go; those that are left over would be hundreds.
    EXPECT_LE(growth.threads(), 0);
    EXPECT_LE(growth.descriptors(), 0);
}

// Five at once, in which most of the time is libvirt's own waiting for qemu.
TEST_F(GrowthTest, TwoHundredGuestsComeAndGo) {
    constexpr int kAtOnce = 5;
    ASSERT_TRUE(done(pool().create(qcow2("base", 64 * kMiB))));
    for (int i = 0; i < kAtOnce; ++i)
        ASSERT_TRUE(done(pool().create(overlay("disk-" + std::to_string(i), "base"))));
    lab().quick_close();
    std::vector<Client> clients;
    for (int i = 0; i < kAtOnce; ++i) clients.emplace_back(lab().path("LIBVIRT_URI"));

    const bench::Growth growth = bench::measure_growth(libvirtd(), 200 / kAtOnce, [&](int) {
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < kAtOnce; ++i)
            threads.emplace_back([&, number = std::to_string(i), i] {
                auto guest = Guest::start(clients[i], quick_guest(lab(), "guest-" + number,
                                                                  {on_gluster("disk-" + number)}));
                EXPECT_TRUE(done(guest));
                if (guest) {
                    EXPECT_TRUE(done(guest->destroy()));
                }
            });
        for (auto& thread : threads) thread.join();
    });
    // Room that is used again: on libvirt 11.3.0, 4 MiB by the 200th guest (half of it also with
    // disks that are files), and 0.2 MiB from there to the 400th.
    EXPECT_LT(growth.resident(), static_cast<long long>(6 * kMiB));
    // libvirtd's own workers become more when many clients ask at once, up to 20 (max_workers) and
    // five for the urgent. One left over by each guest would be 180.
    EXPECT_LE(growth.threads(), 25);
    EXPECT_LE(growth.descriptors(), 0);
}

// Each attempt to connect costs memory that gluster does not give back, and a monitor asks for the
// disks of all guests every few seconds.
TEST_F(GrowthTest, AVolumeThatIsStoppedIsNotAskedForOverAndOver) {
    const std::string volume = lab().extra_volume("stopped", {});
    ASSERT_TRUE(lab().gluster({"--mode=script", "volume", "stop", volume}).ok());
    const auto before = bench::settled_usage(libvirtd()).descriptors;
    const auto start = std::chrono::steady_clock::now();
    const bench::Growth growth = bench::measure_growth(libvirtd(), 200, [&](int) {
        EXPECT_TRUE(refused(run({network_disk(volume, "disk", {lab().gluster_host()})}),
                            VIR_ERR_SYSTEM_ERROR, "is stopped, or none of its bricks answers"));
    });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_LT(growth.resident(), static_cast<long long>(4 * kMiB));
    // Each attempt's glfs_fini, on its own thread, lets go of its descriptors ten seconds later.
    EXPECT_TRUE(
        comes_true([&] { return bench::settled_usage(libvirtd()).descriptors <= before + 2; },
                   std::chrono::seconds(40)))
        << bench::settled_usage(libvirtd()).descriptors << " and before " << before;
    EXPECT_LT(took.count(), 60);
    ASSERT_TRUE(lab().gluster({"--mode=script", "volume", "start", volume}).ok());
    // And it is asked again.
    EXPECT_TRUE(comes_true(
        [&] {
            return run({network_disk(volume, "disk", {lab().gluster_host()})})
                       .refusal.message.find("No such file") != std::string::npos;
        },
        std::chrono::seconds(60)));
}

}  // namespace sfg::test
