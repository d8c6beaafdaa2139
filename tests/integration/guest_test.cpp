// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Guests start on chains in gluster, whatever names the images have for each other.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "tests/support/guest_fixture.hpp"
#include "tests/support/socket_relay.hpp"

namespace sfg::test {
namespace {

using std::chrono::seconds;
using Chain = std::vector<std::string>;

class GuestOnAChainTest : public GuestTest {
  protected:
    void SetUp() override {
        GuestTest::SetUp();
        ASSERT_TRUE(done(pool().create(qcow2("image_cache/base.v001", 64 * kMiB))));
        ASSERT_TRUE(done(pool().create(overlay("instances/u/vda", "image_cache/base.v001"))));
    }

    // An overlay by that name of the base, and what libvirt finds behind it.
    Chain chain_over(const std::string& base) {
        make_overlay("instances/v/vda", base);
        const auto guest = run({on_gluster("instances/v/vda")});
        EXPECT_TRUE(done(guest));
        return guest ? guest->chain("vda") : Chain();
    }
    Chain expected() const { return {shown("instances/v/vda"), shown("image_cache/base.v001")}; }
};

}  // namespace

TEST_F(GuestOnAChainTest, StartsOnAFileDiskOverFuse) {
    const auto guest = run({on_fuse("instances/u/vda")});
    ASSERT_TRUE(done(guest));
    // What a running guest's disk is stays to be seen.
    EXPECT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(done(pool().create(overlay("instances/v/vda", "image_cache/base.v001"))));
}

TEST_F(GuestOnAChainTest, StartsOnANetworkDisk) {
    auto guest = run({on_gluster("instances/u/vda")});
    ASSERT_TRUE(done(guest));
    EXPECT_EQ(guest->chain("vda"),
              (Chain{shown("instances/u/vda"), shown("image_cache/base.v001")}));
    EXPECT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(done(guest->destroy()));
}

// libvirt changes owners in a forked child, which has no connection to gluster (CONTRACTS 2).
TEST_F(GuestOnAChainTest, TheImagesAreQemusWhileItRuns) {
    ASSERT_NE(qemus_user(), 0u);
    EXPECT_EQ(owner("instances/u/vda"), 0u);
    auto guest = run({on_gluster("instances/u/vda")});
    ASSERT_TRUE(done(guest));
    EXPECT_EQ(owner("instances/u/vda"), qemus_user());
    EXPECT_EQ(owner("image_cache/base.v001"), qemus_user());
    EXPECT_TRUE(done(guest->destroy()));
    EXPECT_EQ(owner("instances/u/vda"), owner_afterwards(0));
}

TEST_F(GuestOnAChainTest, AnOwnerIsGivenBackAtTheEnd) {
    VolumeSpec owned = overlay("instances/v/vda", "image_cache/base.v001");
    owned.owner = 4711;
    owned.group = 4712;
    ASSERT_TRUE(done(pool().create(owned)));
    for (const uid_t expected : {4711u, 4713u, 0u}) {
        if (expected != 4711) {  // somebody gives it to somebody else
            ASSERT_EQ(chown(fuse("instances/v/vda").c_str(), expected, expected), 0);
        }
        auto guest = run({on_gluster("instances/v/vda")});
        ASSERT_TRUE(done(guest));
        EXPECT_EQ(owner("instances/v/vda"), qemus_user());
        ASSERT_TRUE(done(guest->destroy()));
        EXPECT_EQ(owner("instances/v/vda"), owner_afterwards(expected));
    }
}

// The daemon that lets go of the guest has never looked at its disks.
TEST_F(GuestOnAChainTest, AGuestOutlivesLibvirtd) {
    {
        const Client before(lab().path("LIBVIRT_URI"));
        auto guest =
            Guest::start(before, quick_guest(lab(), "guest", {on_gluster("instances/u/vda")}));
        ASSERT_TRUE(done(guest));
        ASSERT_TRUE(lab().libvirtd(1, "restart").ok());
        reconnect(1);
        // Its connection is gone, so its end takes nothing down.
    }
    auto guest = Guest::find(client(), "guest");
    ASSERT_TRUE(done(guest));
    EXPECT_TRUE(guest->is_running());
    // Waits for the daemon to have taken it over: a destroy in the middle of that finds nobody
    // (libvirt 9.0.0, qemuProcessBeginStopJob kills before it waits for the job).
    EXPECT_TRUE(done(guest->disk_info("vda")));
    EXPECT_EQ(owner("instances/u/vda"), qemus_user());
    EXPECT_TRUE(done(guest->destroy()));
    EXPECT_EQ(owner("instances/u/vda"), owner_afterwards(0));
}

TEST_F(GuestOnAChainTest, ABaseByARelativeName) {
    EXPECT_EQ(chain_over("../../image_cache/base.v001"), expected());
}

TEST_F(GuestOnAChainTest, ABaseByAUri) {
    EXPECT_EQ(
        chain_over("gluster://" + lab().gluster_host() + "/" + shown("image_cache/base.v001")),
        expected());
}

TEST_F(GuestOnAChainTest, ABaseByAUriWithAPort) {
    EXPECT_EQ(chain_over("gluster+tcp://" + lab().gluster_host() + ":24007/" +
                         shown("image_cache/base.v001")),
              expected());
}

TEST_F(GuestOnAChainTest, ABaseByQemusJson) {
    const Chain found =
        chain_over(R"(json:{"driver":"gluster","volume":")" + lab().volume() + R"(","path":")" +
                   in_volume("image_cache/base.v001") + R"(","server":[{"type":"inet","host":")" +
                   lab().gluster_host() + R"(","port":"24007"}]})");
    EXPECT_EQ(found, expected());
}

// The document of Shaken Fist's notes, but for names and hosts: a base on this host's own disk.
TEST_F(GuestOnAChainTest, ABaseOnThisHost) {
    const std::string base = "/srv/shakenfist/image_cache/xxx.v001";
    std::filesystem::create_directories("/srv/shakenfist/image_cache");
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + base + " 64M").ok());
    make_overlay("ba6db72c-7110-40c6-99df-6449ee8b0a69/vda", base);
    DiskSpec disk =
        on_gluster("ba6db72c-7110-40c6-99df-6449ee8b0a69/vda", {lab().gluster_host() + ":24007"});
    disk.backing = "<backingStore type='file'><format type='qcow2'/><source file='" + base +
                   "'/></backingStore>";
    const auto guest = run({disk});
    ASSERT_TRUE(done(guest));
    EXPECT_EQ(guest->chain("vda"),
              (Chain{shown("ba6db72c-7110-40c6-99df-6449ee8b0a69/vda"), base}));
}

TEST_F(GuestOnAChainTest, AChainThatTheDocumentGivesIsNotSearched) {
    DiskSpec disk = on_gluster("instances/u/vda");
    disk.backing = "<backingStore type='network'><format type='qcow2'/>" +
                   source("image_cache/base.v001") + "<backingStore/></backingStore>";
    const auto guest = run({disk});
    ASSERT_TRUE(done(guest));
    EXPECT_EQ(guest->chain("vda"),
              (Chain{shown("instances/u/vda"), shown("image_cache/base.v001")}));
}

TEST_F(GuestOnAChainTest, OfSeveralHostsTheFirstMayBeDown) {
    EXPECT_TRUE(
        done(run({on_gluster("instances/u/vda", {lab().refusing_host(), lab().gluster_host()})})));
}

// A glusterd's socket on this host.
TEST_F(GuestOnAChainTest, ByTheTransportUnix) {
    const std::string path = "/srv/glusterd.socket";
    const SocketRelay glusterd(path, lab().gluster_host(), 24007);
    ASSERT_TRUE(glusterd.ready());
    make_overlay("instances/v/vda",
                 "gluster+unix:///" + shown("image_cache/base.v001") + "?socket=" + path);
    auto guest = run({on_gluster("instances/v/vda", {path})});
    ASSERT_TRUE(done(guest));
    EXPECT_EQ(guest->chain("vda"), expected());
    EXPECT_EQ(owner("instances/v/vda"), qemus_user());
    // libvirtd's and qemu's.
    EXPECT_GE(glusterd.connections(), 2);
    EXPECT_TRUE(done(guest->destroy()));
}

// The real one tells no volume's id, and is root's, so that qemu needs the relay.
TEST_F(GuestOnAChainTest, ByTheSocketThatGlusterdHasForItsOwnPrograms) {
    const Ran pid = lab().call("exec", {"--node", "1", "--", "cat", "/run/glusterd.pid"});
    ASSERT_TRUE(pid.ok()) << pid.output;
    const std::string path = "/srv/glusterd-own.socket";
    const std::string own =
        "/proc/" + std::to_string(std::stol(pid.output)) + "/root/run/glusterd.socket";
    const SocketRelay glusterd(path, own, 0);
    ASSERT_TRUE(glusterd.ready());
    auto guest = run({on_gluster("instances/u/vda", {path})});
    ASSERT_TRUE(done(guest));
    EXPECT_EQ(owner("instances/u/vda"), qemus_user());
    EXPECT_GE(glusterd.connections(), 2);
    EXPECT_TRUE(done(guest->destroy()));
}

TEST_F(GuestOnAChainTest, ThroughALinkInTheVolume) {
    std::filesystem::create_directory_symlink("instances", fuse("link"));
    EXPECT_TRUE(done(run({on_gluster("link/u/vda")})));
}

TEST_F(GuestOnAChainTest, ARawDisk) {
    ASSERT_TRUE(done(pool().create(raw("raw"))));
    DiskSpec disk = on_gluster("raw");
    disk.format = "raw";
    EXPECT_TRUE(done(run({disk})));
}

TEST_F(GuestOnAChainTest, ADiskThatIsNotThereIsNamed) {
    EXPECT_TRUE(refused(run({on_gluster("instances/u/vdx")}), VIR_ERR_SYSTEM_ERROR,
                        "Cannot access storage file '" + in_volume("instances/u/vdx")));
}

TEST_F(GuestOnAChainTest, ABaseThatIsNotThereIsNamed) {
    make_overlay("instances/v/vda", "../../image_cache/gone");
    EXPECT_TRUE(
        refused(run({on_gluster("instances/v/vda")}), VIR_ERR_SYSTEM_ERROR, "image_cache/gone"));
}

// As a local disk in such a directory is refused: qemu could not open it either.
TEST_F(GuestOnAChainTest, ADirectoryThatQemusUserMayNotEnter) {
    std::filesystem::permissions(fuse("instances"), std::filesystem::perms::owner_all);
    EXPECT_TRUE(
        refused(run({on_gluster("instances/u/vda")}), VIR_ERR_SYSTEM_ERROR, "Permission denied"));
    // Its groups count as well.
    ASSERT_TRUE(shell("chgrp libvirt-qemu " + quoted(fuse("instances")) + " && chmod 750 " +
                      quoted(fuse("instances")))
                    .ok());
    EXPECT_TRUE(done(run({on_gluster("instances/u/vda")})));
}

TEST_F(GuestOnAChainTest, TenStartAtOnceOnOneBase) {
    constexpr int kGuests = 10;
    for (int i = 0; i < kGuests; ++i)
        ASSERT_TRUE(done(pool().create(
            overlay("instances/g" + std::to_string(i) + "/vda", "image_cache/base.v001"))));
    std::vector<Answer<Guest>> guests(kGuests);
    std::vector<std::thread> threads;
    lab().quick_close();
    for (int i = 0; i < kGuests; ++i)
        threads.emplace_back([&, i] {
            const Client own(lab().path("LIBVIRT_URI"));
            const std::string number = std::to_string(i);
            guests[static_cast<std::size_t>(i)] =
                Guest::start(own, quick_guest(lab(), "guest" + number,
                                              {on_gluster("instances/g" + number + "/vda")}));
        });
    for (auto& thread : threads) thread.join();
    for (int i = 0; i < kGuests; ++i) {
        EXPECT_TRUE(done(guests[static_cast<std::size_t>(i)])) << i;
        EXPECT_EQ(owner("instances/g" + std::to_string(i) + "/vda"), qemus_user()) << i;
    }
}

}  // namespace sfg::test
