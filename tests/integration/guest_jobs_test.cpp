// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What libvirt does with the disks of a guest that runs: snapshots, commits, copies, hotplug.
#include <gtest/gtest.h>

#include "tests/support/guest_fixture.hpp"
#include "tests/support/image_checks.hpp"

namespace sfg::test {
namespace {

using Chain = std::vector<std::string>;

class GuestJobsTest : public GuestTest {
  protected:
    void SetUp() override {
        GuestTest::SetUp();
        ASSERT_TRUE(done(pool().create(qcow2("base", 64 * kMiB))));
        ASSERT_TRUE(in_image("qcow2", fuse("base"), "write -P 1 0 1M"));
        ASSERT_TRUE(done(pool().create(overlay("disk", "base"))));
        ASSERT_TRUE(in_image("qcow2", fuse("disk"), "write -P 2 1M 1M"));
        guest_ = run({on_gluster("disk")});
        ASSERT_TRUE(done(guest_));
    }
    void TearDown() override {
        guest_ = {};
        GuestTest::TearDown();
    }

    Guest& guest() { return *guest_; }
    Chain chain() { return guest().chain("vda"); }
    Chain shown_all(const std::vector<std::string>& names) const {
        Chain all;
        for (const auto& name : names) all.push_back(shown(name));
        return all;
    }

    // The guest's bytes in an image that it has let go of.
    testing::AssertionResult holds_all(const std::string& name) {
        return in_image("qcow2", fuse(name), "read -P 1 0 1M") &&
                       in_image("qcow2", fuse(name), "read -P 2 1M 1M") &&
                       in_image("qcow2", fuse(name), "read -P 0 2M 1M")
                   ? sound(fuse(name))
                   : testing::AssertionFailure() << name << " has other bytes";
    }

  private:
    Answer<Guest> guest_;
};

}  // namespace

TEST_F(GuestJobsTest, BlockInfo) {
    const auto info = guest().disk_info("vda");
    ASSERT_TRUE(done(info));
    EXPECT_EQ(info->capacity, 64 * kMiB);
    EXPECT_GT(info->allocation, kMiB);
}

TEST_F(GuestJobsTest, BlockInfoOfAGuestThatDoesNotRun) {
    const GuestSpec spec{"idle", {on_gluster("disk")}, {}};
    const virDomainPtr domain = virDomainDefineXML(client().get(), spec.xml().c_str());
    ASSERT_NE(domain, nullptr) << last_refusal().message;
    virDomainBlockInfo info{};
    EXPECT_EQ(virDomainGetBlockInfo(domain, "vda", &info, 0), 0) << last_refusal().message;
    EXPECT_EQ(info.capacity, 64 * kMiB);
    EXPECT_GE(info.physical, kMiB);
    virDomainUndefine(domain);
    virDomainFree(domain);
}

TEST_F(GuestJobsTest, ASnapshotIsMadeInTheVolume) {
    ASSERT_TRUE(done(guest().snapshot("vda", source("snapshot"))));
    EXPECT_EQ(chain(), shown_all({"snapshot", "disk", "base"}));
    EXPECT_EQ(owner("snapshot"), qemus_user());
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(pool().lists("snapshot"));
    ASSERT_TRUE(done(guest().destroy()));
    EXPECT_TRUE(sound(fuse("snapshot")));
}

// libvirt asks before it overwrites a local file, and does not for a network disk. Not an empty
// file either: another host may be about to format it.
TEST_F(GuestJobsTest, ASnapshotOverwritesNoImage) {
    ASSERT_TRUE(done(pool().create(qcow2("precious"))));
    const std::string before = read_file("precious");
    EXPECT_TRUE(
        refused(guest().snapshot("vda", source("precious")), VIR_ERR_SYSTEM_ERROR, "File exists"));
    EXPECT_EQ(read_file("precious"), before);
    write_file("empty", "");
    EXPECT_TRUE(
        refused(guest().snapshot("vda", source("empty")), VIR_ERR_SYSTEM_ERROR, "File exists"));
    EXPECT_TRUE(exists("empty"));
    EXPECT_EQ(chain(), shown_all({"disk", "base"}));
}

TEST_F(GuestJobsTest, ASnapshotTakesAnImageThatIsThere) {
    ASSERT_TRUE(done(pool().create(overlay("prepared", "disk"))));
    EXPECT_TRUE(
        done(guest().snapshot("vda", source("prepared"), VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT)));
    EXPECT_EQ(chain(), shown_all({"prepared", "disk", "base"}));
}

TEST_F(GuestJobsTest, ASnapshotWhoseDirectoryIsMissing) {
    EXPECT_TRUE(refused(guest().snapshot("vda", source("missing/snapshot")), VIR_ERR_SYSTEM_ERROR,
                        "No such file"));
    EXPECT_FALSE(exists("missing"));
}

TEST_F(GuestJobsTest, Commit) {
    ASSERT_TRUE(done(guest().commit("vda", VIR_DOMAIN_BLOCK_COMMIT_ACTIVE)));
    ASSERT_TRUE(done(guest().finish_job("vda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)));
    EXPECT_EQ(chain(), shown_all({"base"}));
    ASSERT_TRUE(done(guest().destroy()));
    EXPECT_TRUE(holds_all("base"));
}

TEST_F(GuestJobsTest, CommitOfTheMiddle) {
    ASSERT_TRUE(done(guest().snapshot("vda", source("snapshot"))));
    const auto under_the_top =
        "vda[" + XmlText(guest().xml()).at("//disk/backingStore/@index") + "]";
    ASSERT_TRUE(done(guest().commit_from("vda", under_the_top)));
    ASSERT_TRUE(done(guest().finish_job("vda")));
    EXPECT_EQ(chain(), shown_all({"snapshot", "base"}));
    ASSERT_TRUE(done(guest().destroy()));
    EXPECT_TRUE(holds_all("base"));
}

TEST_F(GuestJobsTest, Pull) {
    ASSERT_TRUE(done(guest().pull("vda")));
    ASSERT_TRUE(done(guest().finish_job("vda")));
    EXPECT_EQ(chain(), shown_all({"disk"}));
    ASSERT_TRUE(done(guest().destroy()));
    EXPECT_TRUE(holds_all("disk"));
}

TEST_F(GuestJobsTest, CopyOntoANetworkDisk) {
    ASSERT_TRUE(done(guest().copy("vda", on_gluster("copy"))));
    EXPECT_EQ(owner("copy"), qemus_user());
    ASSERT_TRUE(done(guest().finish_job("vda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)));
    EXPECT_EQ(chain(), shown_all({"copy"}));
    ASSERT_TRUE(done(guest().destroy()));
    EXPECT_TRUE(holds_all("copy"));
}

TEST_F(GuestJobsTest, CopyOfAPersistentGuest) {
    // virsh blockcopy --transient-job
    const virDomainPtr defined = virDomainDefineXML(client().get(), guest().xml().c_str());
    ASSERT_NE(defined, nullptr) << last_refusal().message;
    EXPECT_TRUE(done(guest().copy("vda", on_gluster("copy"), VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB)));
    EXPECT_TRUE(done(guest().finish_job("vda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)));
    EXPECT_EQ(chain(), shown_all({"copy"}));
    EXPECT_TRUE(done(guest().destroy()));
    virDomainUndefine(defined);
    virDomainFree(defined);
    EXPECT_TRUE(holds_all("copy"));
}

// The way off gluster:// while the guest runs, and back.
TEST_F(GuestJobsTest, CopyOntoAFileAndBack) {
    ASSERT_TRUE(done(guest().copy("vda", on_fuse("copy"))));
    ASSERT_TRUE(done(guest().finish_job("vda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)));
    EXPECT_EQ(chain(), Chain{fuse("copy")});
    // qemu cannot make an image over gfapi while it has no gluster disk open: it then wants to
    // write a log to /var/log/glusterfs (7.2, qemu_gluster_co_create sets no log file). So it is
    // made here.
    ASSERT_TRUE(done(pool().create(qcow2("again", 64 * kMiB))));
    ASSERT_TRUE(done(guest().copy("vda", on_gluster("again"), VIR_DOMAIN_BLOCK_COPY_REUSE_EXT)));
    ASSERT_TRUE(done(guest().finish_job("vda", VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)));
    EXPECT_EQ(chain(), shown_all({"again"}));
    ASSERT_TRUE(done(guest().destroy()));
    EXPECT_TRUE(holds_all("again"));
}

TEST_F(GuestJobsTest, ACopyThatIsCancelledLeavesTheDisk) {
    ASSERT_TRUE(done(guest().copy("vda", on_gluster("copy"))));
    ASSERT_TRUE(done(guest().finish_job("vda", 0)));
    EXPECT_EQ(chain(), shown_all({"disk", "base"}));
}

TEST_F(GuestJobsTest, ACopyOverwritesNoImage) {
    ASSERT_TRUE(done(pool().create(qcow2("precious"))));
    const std::string before = read_file("precious");
    EXPECT_TRUE(
        refused(guest().copy("vda", on_gluster("precious")), VIR_ERR_SYSTEM_ERROR, "File exists"));
    EXPECT_EQ(read_file("precious"), before);
}

// A USB disk, which goes without a system that lets go of it.
TEST_F(GuestJobsTest, ADiskIsAttachedAndDetached) {
    ASSERT_TRUE(done(pool().create(overlay("more", "base"))));
    DiskSpec disk = on_gluster("more");
    disk.target = "sda";
    disk.bus = "usb";
    ASSERT_TRUE(done(guest().attach(disk)));
    EXPECT_EQ(guest().chain("sda"), shown_all({"more", "base"}));
    EXPECT_EQ(owner("more"), qemus_user());
    ASSERT_TRUE(done(guest().detach(disk)));
    EXPECT_TRUE(comes_true([&] { return guest().chain("sda").empty(); }, std::chrono::seconds(20)));
    EXPECT_TRUE(
        comes_true([&] { return owner("more") == owner_afterwards(0); }, std::chrono::seconds(20)));
    // And again: the connection was kept.
    EXPECT_TRUE(done(guest().attach(disk)));
}

}  // namespace sfg::test
