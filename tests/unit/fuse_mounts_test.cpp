// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/fuse_mounts.hpp"

#include <gtest/gtest.h>

namespace sfg {
namespace {

constexpr char kMounts[] =
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
    "90 22 0:50 / /srv/sf rw,relatime shared:7 - fuse.glusterfs sf-1:/shakenfist rw,user_id=0\n"
    "91 22 0:51 / /mnt/with\\040space rw - fuse.glusterfs sf-1:/other/sub/dir rw,user_id=0\n"
    "92 22 0:52 / /srv/sf/local rw - tmpfs tmpfs rw\n"
    "93 22 0:53 / /mnt/v6 rw - fuse.glusterfs [2001:db8::1]:/vol rw,user_id=0\n";

TEST(FusePaths, AreFoundByTheirMount) {
    const auto found = parse_fuse_path("/srv/sf/image_cache/x", kMounts);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->volume, "shakenfist");
    EXPECT_EQ(found->path, "image_cache/x");
}

TEST(FusePaths, TakeASubdirectoryMountIntoAccount) {
    const auto found = parse_fuse_path("/mnt/with space/a//b", kMounts);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->volume, "other");
    EXPECT_EQ(found->path, "sub/dir/a/b");
}

TEST(FusePaths, AreHiddenByWhatIsMountedOnTop) {
    EXPECT_FALSE(parse_fuse_path("/srv/sf/local/x", kMounts));
    const std::string covered = std::string(kMounts) + "94 90 0:54 / /srv/sf rw - tmpfs tmpfs rw\n";
    EXPECT_FALSE(parse_fuse_path("/srv/sf/x", covered));
}

TEST(FusePaths, OfIpv6ServersAreUnderstood) {
    const auto found = parse_fuse_path("/mnt/v6/x", kMounts);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->volume, "vol");
}

TEST(FuseMounts, AreListedWithWhatTheyShow) {
    const auto mounts = parse_fuse_mounts(kMounts);
    ASSERT_EQ(mounts.size(), 3u);
    EXPECT_EQ(mounts[0].volume, "shakenfist");
    EXPECT_EQ(mounts[0].directory, "");
    EXPECT_EQ(mounts[0].mount_point, "/srv/sf");
    EXPECT_EQ(mounts[0].server, "sf-1");
    EXPECT_EQ(mounts[1].mount_point, "/mnt/with space");
    EXPECT_EQ(mounts[1].directory, "sub/dir");
    EXPECT_EQ(mounts[2].server, "2001:db8::1");
}

TEST(FuseMounts, ThatAUserMadeAreNotBelieved) {
    for (const char* line : {"91 22 0:51 / /home/u/m rw - fuse.glusterfs evil:/v rw,user_id=1000\n",
                             "91 22 0:51 / /home/u/m rw - fuse.glusterfs evil:/v rw\n",
                             "91 22 0:51 / /home/u/m rw - fuse.glusterfs evil:/v rw,user_id=01\n",
                             "91 22 0:51 / /home/u/a\f-\ffuse.glusterfs\fevil:/v rw,user_id=0 - "
                             "fuse.sshfs x rw,user_id=1000\n"})
        EXPECT_TRUE(parse_fuse_mounts(line).empty()) << line;
}

TEST(FuseMounts, AreReadWithColonsAndWithoutSnapshots) {
    const auto mounts = parse_fuse_mounts(
        "90 22 0:50 / /a rw - fuse.glusterfs s:/v/d:w rw,user_id=0\n"
        "91 22 0:51 / /b rw - fuse.glusterfs s:/snaps/S/v rw,user_id=0\n"
        "92 22 0:52 /dir//deleted /c rw - fuse.glusterfs s:/v rw,user_id=0\n"
        "93 22 0:53 / /d rw - fuse.glusterfs s:v rw,user_id=0,group_id=0\n");
    ASSERT_EQ(mounts.size(), 2u);
    EXPECT_EQ(mounts[0].volume, "v");
    EXPECT_EQ(mounts[0].directory, "d:w");
    EXPECT_EQ(mounts[1].volume, "v");
}

struct Source {
    const char* source;
    const char* volume;
    const char* directory;
    const char* server;
};

TEST(FuseMounts, TellTheirVolumeInManyWays) {
    for (const auto& row : {
             Source{"h:/gv0", "gv0", "", "h"},
             Source{"h:gv0", "gv0", "", "h"},
             Source{"h:/gv0.tcp", "gv0", "", "h"},
             Source{"h:gv0.rdma", "gv0", "", "h"},
             Source{"h:/gv0.tcp/sub.dir/x", "gv0", "sub.dir/x", "h"},
             Source{"h:gv0/a:/b", "gv0", "a:/b", "h"},
             Source{"h:/gv0/a:/b", "gv0", "a:/b", "h"},
             Source{"h1,h2:/gv0", "gv0", "", "h1"},
             Source{"h1,h2:gv0/sub", "gv0", "sub", "h1"},
             Source{"[2001:db8::1]:/gv0", "gv0", "", "2001:db8::1"},
             Source{"2001:db8::1:/gv0", "gv0", "", "2001:db8::1"},
             Source{"2001:db8::1:gv0.tcp", "gv0", "", "2001:db8::1"},
             Source{"fe80::1%eth0:/gv0", "gv0", "", "fe80::1%eth0"},
             Source{"h:gfproxy-client//gv0", "gv0", "", "h"},
             Source{"h:/snaps", "snaps", "", "h"},
         }) {
        const std::string line =
            std::string("90 22 0:50 / /a rw - fuse.glusterfs ") + row.source + " rw,user_id=0\n";
        const auto mounts = parse_fuse_mounts(line);
        ASSERT_EQ(mounts.size(), 1u) << row.source;
        EXPECT_EQ(mounts[0].volume, row.volume) << row.source;
        EXPECT_EQ(mounts[0].directory, row.directory) << row.source;
        EXPECT_EQ(mounts[0].server, row.server) << row.source;
        const auto path = parse_fuse_path("/a/x", line);
        ASSERT_TRUE(path) << row.source;
        EXPECT_EQ(path->volume, row.volume);
    }
}

TEST(FusePaths, MayBeOfAVolumeThatTheMountDoesNotTell) {
    for (const char* source :
         {"/etc/glusterfs/x.vol", "glusterfs:(null)", "glusterfs:(null)/sub", "h:", "h:/",
          "my-display-name", "h:/g\\040v", "h:/.tcp", "h:/../gv0"}) {
        const std::string line =
            std::string("90 22 0:50 /d /a rw - fuse.glusterfs ") + source + " rw,user_id=0\n";
        EXPECT_TRUE(parse_fuse_mounts(line).empty()) << source;
        const auto path = parse_fuse_path("/a/b/x", line);
        ASSERT_TRUE(path) << source;
        EXPECT_EQ(path->volume, "") << source;
        EXPECT_EQ(path->below, "b/x") << source;
        EXPECT_EQ(path->mount_point, "/a") << source;
    }
    const auto bound =
        parse_fuse_path("/a/x", "90 22 0:50 /d/e /a rw - fuse.glusterfs h:/v/s rw,user_id=0\n");
    ASSERT_TRUE(bound);
    EXPECT_EQ(bound->path, "s/d/e/x");
}

TEST(FuseMounts, ThatAreCoveredAreNotListed) {
    for (const char* point : {"/srv/sf", "/srv"}) {
        const std::string covered =
            std::string(kMounts) + "94 90 0:54 / " + point + " rw - tmpfs tmpfs rw\n";
        EXPECT_EQ(parse_fuse_mounts(covered).size(), 2u) << point;
    }
}

TEST(FusePaths, ElsewhereAreNone) {
    for (const char* path : {"/srv/sfx/y", "/srv", "/etc/passwd", "/srv/sf/../../etc/passwd"})
        EXPECT_FALSE(parse_fuse_path(path, kMounts)) << path;
    EXPECT_FALSE(parse_fuse_path("/a", ""));
    EXPECT_FALSE(parse_fuse_path("/a", "nonsense\n\n1 2 3\n"));
}

}  // namespace
}  // namespace sfg
