// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A copy is of one point in time: what a running guest writes to is not copied from under it.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/support/guest_fixture.hpp"
#include "tests/support/image_checks.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

using std::chrono::seconds;

class RunningCopiesTest : public GuestTest {
  protected:
    void SetUp() override {
        GuestTest::SetUp();
        ASSERT_TRUE(done(pool().create(raw("disk", 8 * kMiB))));
        ASSERT_TRUE(in_image("raw", fuse("disk"), "write -P 1 1M 1M"));
    }
    void TearDown() override {
        guest_ = {};
        if (configured_) {
            lab().configure(1, "");
            EXPECT_TRUE(lab().libvirtd_with_ours(1).ok());
            reconnect(1);
        }
        GuestTest::TearDown();
    }

    void start_guest() {
        DiskSpec disk = on_fuse("disk");
        disk.format = "raw";
        guest_ = run({disk});
        ASSERT_TRUE(done(guest_));
    }
    Guest& guest() { return *guest_; }
    Volume disk() { return *pool().volume("disk"); }

    void suspended(bool yes) {
        const virDomainPtr domain = virDomainLookupByName(client().get(), "guest");
        ASSERT_NE(domain, nullptr);
        EXPECT_EQ(yes ? virDomainSuspend(domain) : virDomainResume(domain), 0)
            << last_refusal().message;
        virDomainFree(domain);
    }

    Refusal clone(const std::string& name, const std::string& of = "disk") {
        return pool().clone(raw(name, 8 * kMiB), *pool().volume(of)).refusal;
    }
    void expect_refused() {
        for (const auto& refusal : {clone("copy"), download(disk()).refusal}) {
            EXPECT_TRUE(refused(refusal, VIR_ERR_RESOURCE_BUSY, "virsh backup-begin"));
            EXPECT_NE(refusal.message.find("a guest"), std::string::npos) << refusal.message;
        }
        EXPECT_FALSE(exists("copy"));
    }
    void expect_copied(const std::string& name) {
        ASSERT_TRUE(done(clone(name)));
        EXPECT_TRUE(same_bytes(read_file(name), read_file("disk")));
        EXPECT_TRUE(done(download(disk())));
    }

    bool configured_ = false;

  private:
    Answer<Guest> guest_;
};

}  // namespace

TEST_F(RunningCopiesTest, AreRefusedButOfAGuestThatIsPaused) {
    start_guest();
    expect_refused();
    suspended(true);
    expect_copied("of-a-paused-one");
    // Another guest's being paused is no help.
    suspended(false);
    expect_refused();
    ASSERT_TRUE(done(guest().destroy()));
    expect_copied("of-none");
}

TEST_F(RunningCopiesTest, AreRefusedOfAGuestOnAnotherHostToo) {
    start_guest();
    Pool elsewhere = pool_on(2);
    const auto volume = elsewhere.volume("disk");
    ASSERT_TRUE(done(volume));
    EXPECT_TRUE(refused(elsewhere.clone(raw("copy", 8 * kMiB), *volume), VIR_ERR_RESOURCE_BUSY,
                        "virsh blockcopy"));
    // It may be paused: that cannot be seen from there.
    suspended(true);
    EXPECT_TRUE(
        refused(elsewhere.clone(raw("copy", 8 * kMiB), *volume), VIR_ERR_RESOURCE_BUSY, "a guest"));
}

TEST_F(RunningCopiesTest, AreMadeOfTheBaseUnderASnapshot) {
    start_guest();
    ASSERT_TRUE(done(guest().snapshot("vda", on_fuse("snapshot").source)));
    expect_copied("of-the-base");
}

TEST_F(RunningCopiesTest, AreMadeWhereTheConfigurationSaysSo) {
    configured_ = true;
    lab().configure(1, "[driver]\ncopies-of-running=warn\n");
    ASSERT_TRUE(lab().libvirtd_with_ours(1).ok());
    reconnect(1);
    start_guest();
    ASSERT_TRUE(done(clone("copy")));
    EXPECT_TRUE(done(download(disk())));
    EXPECT_NE(lab().said_by_libvirtd(1).find("of no one point in time"), std::string::npos);
}

// As a guest on a network disk, who takes no lock.
TEST_F(RunningCopiesTest, OfWhatSomebodyWritesWithoutALockAreNotToldAsMade) {
    ASSERT_TRUE(done(pool().create(raw("large", 512 * kMiB))));
    ASSERT_TRUE(in_image("raw", fuse("large"), "write -P 7 0 512M"));
    std::atomic<bool> end{false};
    std::thread writer([&, path = fuse("large")] {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        for (int i = 0; !end; ++i) {
            file.seekp(i % 1000 * 4096);
            file.put(static_cast<char>(i)).flush();
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    });
    const auto made = pool().clone(raw("copy", 512 * kMiB), *pool().volume("large"));
    end = true;
    writer.join();
    EXPECT_TRUE(refused(made, VIR_ERR_RESOURCE_BUSY, "it was written to while it was copied"));
    EXPECT_FALSE(exists("copy"));
}

TEST_F(RunningCopiesTest, AndARefusedResizeNamesTheWay) {
    start_guest();
    EXPECT_TRUE(refused(resize(disk(), 16 * kMiB), VIR_ERR_RESOURCE_BUSY, "virsh blockresize"));
}

}  // namespace sfg::test
