// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The hook in a real libvirtd: guests that are carried between network disks and files when they
// are restored, and starts that are refused with what mends them.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "tests/support/guest_fixture.hpp"
#include "tests/support/hidden_driver.hpp"
#include "tests/support/persistent_guest.hpp"

namespace sfg::test {
namespace {

using Chain = std::vector<std::string>;

class HookTest : public GuestTest {
  protected:
    // A guest that boots from an overlay on a base with stamping_boot_sector().
    void make_images() {
        std::string disk = stamping_boot_sector();
        disk.resize(kMiB);
        std::filesystem::create_directories(fuse("image_cache"));
        write_file("image_cache/base.v001", disk);
        ASSERT_TRUE(done(pool().refresh()));
        VolumeSpec top = overlay("instances/u/vda", "image_cache/base.v001");
        top.backing_format = "raw";
        ASSERT_TRUE(done(pool().create(top)));
    }

    std::string document(const std::vector<DiskSpec>& disks, const std::string& name = "carried") {
        return quick_guest(lab(), name, disks).xml();
    }

    Chain as_network() const { return {shown("instances/u/vda"), shown("image_cache/base.v001")}; }
    Chain as_files() const { return {fuse("instances/u/vda"), fuse("image_cache/base.v001")}; }

    // sf-gluster on this host.
    Ran command(const std::string& words) { return shell(std::string(SFG_COMMAND) + " " + words); }
};

// A place to mount a gluster volume on, where qemu's user gets to; gone with whatever is there.
class MountPoint {
  public:
    MountPoint() { std::filesystem::create_directories(path()); }
    ~MountPoint() {
        while (umount2(path().c_str(), MNT_DETACH) == 0) {
        }
        std::filesystem::remove_all(path());
    }
    MountPoint(const MountPoint&) = delete;
    MountPoint& operator=(const MountPoint&) = delete;

    static std::string path() { return "/srv/hook-test"; }
    static std::string command(const std::string& volume) {
        return "mount -t glusterfs " + Lab::instance().gluster_host() + ":/" + volume + " " +
               path();
    }
};

}  // namespace

TEST_F(HookTest, ASavedGuestComesUpAsFilesWithoutTheDriverAndAsNetworkDisksWithIt) {
    make_images();
    auto guest = PersistentGuest::define(client(), document({on_gluster("instances/u/vda")}));
    ASSERT_TRUE(done(guest));
    ASSERT_TRUE(done(guest->start()));
    ASSERT_EQ(guest->chain(), as_network());
    const auto stamp = guest->stamp();
    ASSERT_NE(stamp, 0u) << "the guest did not boot";

    ASSERT_TRUE(done(guest->managed_save()));
    {
        const HiddenDriver hidden;
        ASSERT_TRUE(done(guest->start()));
        EXPECT_EQ(guest->chain(), as_files());
        EXPECT_EQ(guest->stamp(), stamp);
        ASSERT_TRUE(done(guest->managed_save()));
    }
    ASSERT_TRUE(done(guest->start()));
    EXPECT_EQ(guest->chain(), as_network());
    EXPECT_EQ(guest->stamp(), stamp);
    ASSERT_TRUE(done(guest->destroy()));

    // A plain start takes the definition, which no hook can change.
    const HiddenDriver hidden;
    const auto refusal = guest->start();
    ASSERT_TRUE(
        refused(refusal, VIR_ERR_HOOK_SCRIPT_FAILED, "sf-gluster convert --to file carried"));
    EXPECT_NE(refusal.message.find("disk 'vda'"), std::string::npos);
    EXPECT_NE(refusal.message.find("gluster volume '" + lab().volume() + "'"), std::string::npos);
    EXPECT_NE(refusal.message.find("install the package qemu-block-extra"), std::string::npos);
    const Ran shown = command("convert --dry-run carried");
    EXPECT_TRUE(shown.ok()) << shown.output;
    EXPECT_NE(shown.output.find("-    <disk type='network' device='disk'>"), std::string::npos)
        << shown.output;
    EXPECT_NE(shown.output.find("+    <disk type='file' device='disk'>"), std::string::npos);
    EXPECT_TRUE(refused(guest->start(), VIR_ERR_HOOK_SCRIPT_FAILED)) << "a dry run changed it";
    const Ran converted = command("convert carried");
    ASSERT_TRUE(converted.ok()) << converted.output;
    ASSERT_TRUE(done(guest->start()));
    EXPECT_EQ(guest->chain(), as_files());
}

TEST_F(HookTest, TheGuestsAndTheVolumesOwnChoiceGoBeforeTheHosts) {
    make_images();
    auto guest = PersistentGuest::define(client(), document({on_gluster("instances/u/vda")}));
    ASSERT_TRUE(done(guest));
    auto saved_and_started = [&] {
        const auto saved = guest->managed_save();
        return saved.code == VIR_ERR_OK ? guest->start() : saved;
    };
    ASSERT_TRUE(done(guest->start()));
    lab().configure(1, "[volume " + lab().volume() + "]\naccess=file\n");
    EXPECT_TRUE(done(saved_and_started()));
    EXPECT_EQ(guest->chain(), as_files());

    const Ran told = shell(
        "virsh -q metadata carried https://shakenfist.com/sf-gluster --key sfg"
        " --set '<access>network</access>' --live");
    EXPECT_TRUE(told.ok()) << told.output;
    EXPECT_TRUE(done(saved_and_started()));
    EXPECT_EQ(guest->chain(), as_network());
    lab().configure(1, "");
}

// The document that Shaken Fist could not start, word for word but for its names: a qcow2 overlay
// over gfapi whose base is on the FUSE mount.
TEST_F(HookTest, TheSeedsDocumentStartsWhereItCanAndGetsASentenceWhereItCannot) {
    make_images();
    const std::string disk =
        "<disk type='network' device='disk'>\n  <driver name='qemu' type='qcow2'/>\n"
        "  <source protocol='gluster'\n    name='" +
        shown("instances/u/vda") +
        "'>\n"
        "      <host name='" +
        lab().gluster_host() +
        "' port='24007' />\n  </source>\n"
        "  <backingStore type='file'>\n    <format type='raw'/>\n"
        "    <source file='" +
        fuse("image_cache/base.v001") +
        "'/>\n  </backingStore>\n"
        "  <target dev='vda' bus='virtio'/>\n</disk>";
    std::string xml = document({});
    xml.replace(xml.find("<devices>"), 9, "<devices>" + disk);
    auto guest = PersistentGuest::define(client(), xml);
    ASSERT_TRUE(done(guest));
    {
        const HiddenDriver hidden;
        EXPECT_TRUE(refused(guest->start(), VIR_ERR_HOOK_SCRIPT_FAILED,
                            "it is a network disk, and /usr/bin/qemu-system-x86_64 has no gluster "
                            "driver: install the package qemu-block-extra, or run `sf-gluster "
                            "convert --to file carried`, which makes it a file on " +
                                lab().mount_of(lab().volume())));
    }
    ASSERT_TRUE(done(guest->start()));
    EXPECT_EQ(guest->chain(), (Chain{shown("instances/u/vda"), fuse("image_cache/base.v001")}));
    EXPECT_NE(guest->stamp(), 0u);
}

TEST_F(HookTest, AGuestDoesNotStartOnTheEmptyDirectoryBelowAMount) {
    make_images();
    const MountPoint place;
    const std::string point = place.path();
    std::filesystem::create_directories(point + "/" + in_volume("instances/u"));
    // What somebody wrote there while the volume was not mounted.
    const std::string file = point + "/" + in_volume("instances/u/vda");
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + quoted(file) + " 1M").ok());
    lab().configure(1, "[volume " + lab().volume() + "]\nservers=" + lab().gluster_host() +
                           "\nmount=" + point + "\n");
    auto guest = PersistentGuest::define(client(), document({file_disk(file)}));
    ASSERT_TRUE(done(guest));
    const std::string mount = place.command(lab().volume());
    EXPECT_TRUE(
        refused(guest->start(), VIR_ERR_HOOK_SCRIPT_FAILED,
                "it is " + file + ", and " + point + " is not mounted: run `" + mount + "`"));
    // The sentence's own words mend it.
    const Ran mounted = shell(mount);
    ASSERT_TRUE(mounted.ok()) << mounted.output;
    EXPECT_TRUE(done(guest->start()));
    EXPECT_EQ(guest->chain().size(), 2u);
    guest->destroy();
    lab().configure(1, "");
}

TEST_F(HookTest, AMountWhoseClientDiedIsNamed) {
    make_images();
    const MountPoint place;
    const std::string point = place.path();
    const Ran mounted = shell(place.command(lab().volume()));
    ASSERT_TRUE(mounted.ok()) << mounted.output;
    auto guest = PersistentGuest::define(
        client(), document({file_disk(point + "/" + in_volume("instances/u/vda"))}));
    ASSERT_TRUE(done(guest));
    ASSERT_TRUE(done(guest->start()));
    guest->destroy();
    // Of the mount's own client only.
    const Ran killed =
        shell("for p in $(pidof glusterfs); do case $(tr '\\0' ' ' < /proc/$p/cmdline) in *' " +
              point + " ') kill -9 $p ;; esac; done");
    ASSERT_TRUE(killed.ok()) << killed.output;
    EXPECT_TRUE(refused(guest->start(), VIR_ERR_HOOK_SCRIPT_FAILED,
                        "the mount on " + point +
                            " is of no use, as its client has died: run `umount "
                            "--lazy " +
                            point + "`, and run `mount -t glusterfs"));
}

TEST_F(HookTest, AnImageThatQemuCannotReadToItsEndIsNamedWithWhatPadsIt) {
    make_images();
    // As Shaken Fist makes its images, and one on top that is padded.
    const std::string base = fuse("image_cache/unpadded");
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + quoted(base) + " 1M").ok());
    ASSERT_NE(std::filesystem::file_size(base) % 512, 0u);
    make_overlay("instances/u/vdb", "../../image_cache/unpadded", "1M");
    for (const std::string name : {"instances/u/vdb", "image_cache/unpadded"}) {
        auto guest = PersistentGuest::define(client(), document({on_gluster(name)}));
        ASSERT_TRUE(done(guest));
        const std::string pad = "truncate --no-create --size=%512 " + base;
        EXPECT_TRUE(
            refused(guest->start(), VIR_ERR_HOOK_SCRIPT_FAILED,
                    "no multiple of 512, so that qemu cannot read it to its end over gfapi: "
                    "while no guest has it open, run `" +
                        pad + "`"));
    }
    ASSERT_TRUE(shell("truncate --size=%512 " + base).ok());
    auto guest = PersistentGuest::define(client(), document({on_gluster("instances/u/vdb")}));
    ASSERT_TRUE(done(guest));
    EXPECT_TRUE(done(guest->start()));
}

// What qemu opens is let through, odd as it may be.
TEST_F(HookTest, ImagesThatOpenAreNotRefused) {
    make_images();
    write_file("instances/u/odd", std::string(1000, 'x'));
    DiskSpec odd = on_gluster("instances/u/odd");
    odd.format = "raw";
    // The overlay names its base relative to itself; the document says that it is a file.
    ASSERT_TRUE(
        shell("qemu-img create -q -f qcow2 " + quoted(fuse("image_cache/unpadded")) + " 1M").ok());
    make_overlay("instances/u/vdb", "../../image_cache/unpadded", "1M");
    DiskSpec seed = on_gluster("instances/u/vdb");
    seed.backing = "<backingStore type='file'><format type='qcow2'/><source file='" +
                   fuse("image_cache/unpadded") + "'/><backingStore/></backingStore>";
    for (const auto& disk : {odd, seed}) {
        auto guest = PersistentGuest::define(client(), document({disk}));
        ASSERT_TRUE(done(guest));
        EXPECT_TRUE(done(guest->start()));
    }
}

TEST_F(HookTest, AMountPointMayBeNamedByALink) {
    make_images();
    const MountPoint place;
    const std::string link = "/srv/hook-link";
    std::filesystem::remove(link);
    std::filesystem::create_directory_symlink(place.path(), link);
    ASSERT_TRUE(shell(place.command(lab().volume())).ok());
    lab().configure(1, "[volume " + lab().volume() + "]\nservers=" + lab().gluster_host() +
                           "\nmount=" + link + "\n");
    auto guest = PersistentGuest::define(
        client(), document({file_disk(link + "/" + in_volume("instances/u/vda"))}));
    ASSERT_TRUE(done(guest));
    EXPECT_TRUE(done(guest->start()));
    guest->destroy();
    std::filesystem::remove(link);
    lab().configure(1, "");
}

// A volume that is not mounted here is looked at over gfapi, as qemu's user.
TEST_F(HookTest, AnImageOfAVolumeThatIsNotMountedIsLookedAtOverGfapi) {
    const std::string volume = lab().extra_volume("unmounted", {});
    const MountPoint place;
    const std::string point = place.path(), mount = place.command(volume);
    ASSERT_TRUE(shell(mount + " && qemu-img create -q -f qcow2 " + point + "/unpadded 1M" +
                      " && umount " + point)
                    .ok());
    lab().configure(1, "[volume " + volume + "]\nservers=" + lab().gluster_host() + "\n");
    auto guest = PersistentGuest::define(
        client(), document({network_disk(volume, "unpadded", {lab().gluster_host()})}));
    ASSERT_TRUE(done(guest));
    EXPECT_TRUE(refused(guest->start(), VIR_ERR_HOOK_SCRIPT_FAILED,
                        "mount the volume, say on /mnt, and while no guest has it open, run "
                        "`truncate --no-create --size=%512 "
                        "/mnt/unpadded`"));
    // A server that only the document names is not asked.
    lab().configure(1, "");
    EXPECT_FALSE(refused(guest->start(), VIR_ERR_HOOK_SCRIPT_FAILED));
}

TEST_F(HookTest, AnImageThatIsALinkBecomesNoFile) {
    make_images();
    std::filesystem::create_symlink("/etc/shadow", fuse("instances/u/link"));
    const std::string in = local("in.xml");
    std::ofstream(in) << document({on_gluster("instances/u/link")});
    const Ran ran = command("rewrite --to file < " + in);
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.output.find("leads over a symbolic link"), std::string::npos) << ran.output;
    EXPECT_EQ(ran.output.find("<domain"), std::string::npos);
}

TEST_F(HookTest, ARunningGuestOutlivesARestartOfLibvirtdWithoutTheHooksProgram) {
    make_images();
    const std::string name = "carried";
    auto guest = PersistentGuest::define(client(), document({on_gluster("instances/u/vda")}));
    ASSERT_TRUE(done(guest));
    ASSERT_TRUE(done(guest->start()));
    const auto stamp = guest->stamp();
    {
        // Nothing but the program is gone: as between removing and purging the package.
        const HiddenFile hidden(lab().install_root() + SFG_LIBDIR +
                                "/sf-gluster/sfgluster-qemu-hook");
        ASSERT_TRUE(lab().libvirtd(1, "restart").ok());
        reconnect(1);
        guest = PersistentGuest::find(client(), name);
        ASSERT_TRUE(done(guest));
        EXPECT_TRUE(guest->is_running());
        EXPECT_EQ(guest->stamp(), stamp);
        EXPECT_TRUE(done(guest->destroy()));
        EXPECT_TRUE(done(guest->start()));
    }
}

}  // namespace sfg::test
