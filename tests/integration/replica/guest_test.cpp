// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Guests on disks that three nodes have a copy of.
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/guest.hpp"
#include "tests/support/replica_fixture.hpp"

namespace sfg::test {
namespace {

using Chain = std::vector<std::string>;

class ReplicaGuestTest : public ReplicaPoolTest {
  protected:
    void SetUp() override {
        ReplicaPoolTest::SetUp();
        ASSERT_TRUE(done(pool().create(qcow2("base", 64 * kMiB))));
        ASSERT_TRUE(done(pool().create(overlay("disk", "base"))));
    }
    std::string shown(const std::string& name) const {
        return lab().volume() + directory_in_volume() + "/" + name;
    }
    DiskSpec disk(const std::string& name = "disk") const {
        std::vector<std::string> hosts;
        for (const auto& [host, port] : with_all_hosts().hosts) hosts.push_back(host);
        return network_disk(lab().volume(), directory_in_volume().substr(1) + "/" + name, hosts);
    }
    Answer<Guest> run(const std::string& name = "guest", const std::string& on = "disk") {
        return Guest::start(client(), quick_guest(lab(), name, {disk(on)}));
    }
};

}  // namespace

TEST_F(ReplicaGuestTest, StartsAndEnds) {
    auto guest = run();
    ASSERT_TRUE(done(guest));
    EXPECT_EQ(guest->chain("vda"), (Chain{shown("disk"), shown("base")}));
    EXPECT_TRUE(done(guest->destroy()));
}

TEST_F(ReplicaGuestTest, StartsWithANodeDown) {
    ASSERT_TRUE(lab().node(1, "stop").ok());
    EXPECT_TRUE(comes_true([&] { return bool(run()); }, std::chrono::seconds(60)));
}

TEST_F(ReplicaGuestTest, SnapshotCommitAndCopy) {
    auto guest = run();
    ASSERT_TRUE(done(guest));
    ASSERT_TRUE(done(guest->snapshot("vda", disk("snapshot").source)));
    EXPECT_EQ(guest->chain("vda"), (Chain{shown("snapshot"), shown("disk"), shown("base")}));
    ASSERT_TRUE(done(guest->commit("vda", VIR_DOMAIN_BLOCK_COMMIT_ACTIVE)));
    ASSERT_TRUE(done(guest->finish_job("vda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)));
    EXPECT_EQ(guest->chain("vda"), (Chain{shown("base")}));
    ASSERT_TRUE(done(guest->copy("vda", disk("copy"))));
    ASSERT_TRUE(done(guest->finish_job("vda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)));
    EXPECT_EQ(guest->chain("vda"), Chain{shown("copy")});
}

TEST_F(ReplicaGuestTest, SeveralStartAtOnce) {
    constexpr int kGuests = 5;
    for (int i = 0; i < kGuests; ++i)
        ASSERT_TRUE(done(pool().create(overlay("disk-" + std::to_string(i), "base"))));
    lab().quick_close();
    std::vector<Answer<Guest>> guests(kGuests);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kGuests; ++i)
        threads.emplace_back([&, i, number = std::to_string(i)] {
            const Client own(lab().path("LIBVIRT_URI"));
            guests[i] =
                Guest::start(own, quick_guest(lab(), "guest-" + number, {disk("disk-" + number)}));
        });
    for (auto& thread : threads) thread.join();
    for (const auto& guest : guests) EXPECT_TRUE(done(guest));
}

}  // namespace sfg::test
