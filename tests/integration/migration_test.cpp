// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Guests that move, while they run, between two libvirtds in two network namespaces, one whose qemu
// has the gluster driver and one whose has not.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/guest_fixture.hpp"
#include "tests/support/hidden_driver.hpp"
#include "tests/support/persistent_guest.hpp"

namespace sfg::test {
namespace {

using Chain = std::vector<std::string>;

class MigrationTest : public GuestTest {
  protected:
    void SetUp() override {
        GuestTest::SetUp();
        // The same paths on both hosts, as in a cluster.
        const std::string point = lab().mount_of(lab().volume());
        on_second_host("mkdir -p " + point + " && { mountpoint -q " + point +
                       " || mount -t glusterfs " + lab().gluster_host() + ":/" + lab().volume() +
                       " " + point + "; }");
        lab().quick_close(2);
        on_second_host("mount --bind /dev/null " + driver_module());
    }

    void TearDown() override {
        on_second_host("umount --lazy " + driver_module());
        on_second_host("umount --lazy " + lab().mount_of(lab().volume()));
        GuestTest::TearDown();
    }

    void on_second_host(const std::string& command) {
        const Ran ran = lab().on_host(2, command);
        EXPECT_TRUE(ran.ok()) << ran.output;
    }

    std::string address(int host) { return host == 1 ? "10.77.0.101" : "10.77.0.102"; }

    void make_images() {
        std::string disk = stamping_boot_sector();
        disk.resize(kMiB);
        std::filesystem::create_directories(fuse("image_cache"));
        write_file("image_cache/base.v001", disk);
        ASSERT_TRUE(done(pool().refresh()));
        ASSERT_TRUE(
            done(pool().create(overlay("instances/u/vda", "image_cache/base.v001", "raw"))));
    }

    Chain as_network() const { return {shown("instances/u/vda"), shown("image_cache/base.v001")}; }
    Chain as_files() const { return {fuse("instances/u/vda"), fuse("image_cache/base.v001")}; }
};

}  // namespace

TEST_F(MigrationTest, AGuestMovesToAHostWithoutTheDriverAndBack) {
    ASSERT_NE(lab().on_host(1, "readlink /proc/self/ns/net").output,
              lab().on_host(2, "readlink /proc/self/ns/net").output);
    make_images();
    auto guest = PersistentGuest::define(
        client(), quick_guest(lab(), "traveller", {on_gluster("instances/u/vda")}).xml());
    ASSERT_TRUE(done(guest));
    ASSERT_TRUE(done(guest->start()));
    ASSERT_EQ(guest->chain(), as_network());
    const auto stamp = guest->stamp();
    ASSERT_NE(stamp, 0u) << "the guest did not boot";

    ASSERT_TRUE(done(guest->migrate(client(2), address(2))));
    EXPECT_EQ(guest->chain(), as_files());
    EXPECT_EQ(guest->stamp(), stamp);
    // What came along to stay is as it was: the hook filters what runs only.
    EXPECT_EQ(guest->chain(true).at(0), as_network().at(0));

    ASSERT_TRUE(done(guest->migrate(client(1), address(1))));
    EXPECT_EQ(guest->chain(), as_network());
    EXPECT_EQ(guest->stamp(), stamp);
}

TEST_F(MigrationTest, AGuestOnFilesMovesToNetworkDisksAndBack) {
    make_images();
    auto guest = PersistentGuest::define(
        client(2), quick_guest(lab(), "traveller", {on_fuse("instances/u/vda")}, 2).xml());
    ASSERT_TRUE(done(guest));
    ASSERT_TRUE(done(guest->start()));
    const auto stamp = guest->stamp();
    ASSERT_NE(stamp, 0u) << "the guest did not boot";
    ASSERT_TRUE(done(guest->migrate(client(1), address(1))));
    EXPECT_EQ(guest->chain(), as_network());
    EXPECT_EQ(guest->stamp(), stamp);
    ASSERT_TRUE(done(guest->migrate(client(2), address(2))));
    EXPECT_EQ(guest->chain(), as_files());
    EXPECT_EQ(guest->stamp(), stamp);
}

// The guest runs on where it was, and is told why.
TEST_F(MigrationTest, AGuestThatCannotRunThereStaysWhereItIs) {
    make_images();
    on_second_host("umount --lazy " + lab().mount_of(lab().volume()));
    auto guest = PersistentGuest::define(
        client(), quick_guest(lab(), "traveller", {on_gluster("instances/u/vda")}).xml());
    ASSERT_TRUE(done(guest));
    ASSERT_TRUE(done(guest->start()));
    ASSERT_NE(guest->stamp(), 0u);
    lab().configure(2, "[volume " + lab().volume() + "]\nservers=" + lab().gluster_host() + "\n");
    EXPECT_TRUE(refused(guest->migrate(client(2), address(2)), VIR_ERR_HOOK_SCRIPT_FAILED,
                        "disk 'vda': /usr/bin/qemu-system-x86_64 has no gluster driver, and "
                        "" + as_network().at(0) +
                            " is on no FUSE mount of this host"));
    lab().configure(2, "");
    EXPECT_TRUE(guest->is_running());
    EXPECT_EQ(guest->chain(), as_network());
    on_second_host("mount -t glusterfs " + lab().gluster_host() + ":/" + lab().volume() + " " +
                   lab().mount_of(lab().volume()));
}

}  // namespace sfg::test
