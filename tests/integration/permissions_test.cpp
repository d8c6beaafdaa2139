// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Mode, owner and group of a volume's document.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

class PermissionsTest : public PoolTest {
  protected:
    struct stat status(const std::string& name) {
        struct stat found {};
        EXPECT_EQ(stat(fuse(name).c_str(), &found), 0) << name;
        return found;
    }

    void expect(const std::string& name, unsigned mode, unsigned owner, unsigned group) {
        const auto on_disk = status(name);
        EXPECT_EQ(on_disk.st_mode & 07777u, mode) << name;
        EXPECT_EQ(on_disk.st_uid, owner) << name;
        EXPECT_EQ(on_disk.st_gid, group) << name;
        for (const bool refreshed : {false, true}) {
            if (refreshed) {
                ASSERT_TRUE(done(pool().refresh()));
            }
            const XmlText xml(*pool().volume(name)->xml());
            EXPECT_EQ(std::stoul(xml.at("//permissions/mode"), nullptr, 8), mode) << name;
            EXPECT_EQ(xml.number("//permissions/owner"), owner) << name;
            EXPECT_EQ(xml.number("//permissions/group"), group) << name;
        }
    }
};

}  // namespace

TEST_F(PermissionsTest, WithoutAWordVolumesAreRootsAlone) {
    ASSERT_TRUE(done(pool().create(raw("raw"))));
    ASSERT_TRUE(done(pool().create(qcow2("qcow2"))));
    expect("raw", 0600, 0, 0);
    expect("qcow2", 0600, 0, 0);
}

TEST_F(PermissionsTest, ModeOwnerAndGroupAreThoseAskedFor) {
    for (VolumeSpec spec : {raw("u/raw"), qcow2("u/qcow2"), directory("u/dir")}) {
        spec.mode = "0640";
        spec.owner = 4711;
        spec.group = 4712;
        ASSERT_TRUE(done(pool().create(spec))) << spec.name;
        expect(spec.name, 0640, 4711, 4712);
    }
    // Parents are to be passed through by qemu's user.
    EXPECT_EQ(status("u").st_mode & 07777u, 0755u);
}

TEST_F(PermissionsTest, EachMayBeGivenAlone) {
    VolumeSpec mode = raw("mode");
    mode.mode = "0444";
    ASSERT_TRUE(done(pool().create(mode)));
    expect("mode", 0444, 0, 0);
    VolumeSpec owner = raw("owner");
    owner.mode = "0600";
    owner.owner = 4711;
    ASSERT_TRUE(done(pool().create(owner)));
    expect("owner", 0600, 4711, 0);
    VolumeSpec group = raw("group");
    group.mode = "0660";
    group.group = 4712;
    ASSERT_TRUE(done(pool().create(group)));
    expect("group", 0660, 0, 4712);
}

TEST_F(PermissionsTest, NoUmaskGetsInTheWay) {
    for (const char* mode : {"0666", "0777", "0622", "0000"}) {
        VolumeSpec spec = raw(std::string("m") + mode);
        spec.mode = mode;
        ASSERT_TRUE(done(pool().create(spec)));
        expect(spec.name, static_cast<unsigned>(std::stoul(mode, nullptr, 8)), 0, 0);
    }
}

TEST_F(PermissionsTest, ADirectoryIsToBePassedThroughWithoutAWord) {
    ASSERT_TRUE(done(pool().create(directory("d"))));
    EXPECT_EQ(status("d").st_mode & 07777u, 0755u);
}

TEST_F(PermissionsTest, ARefreshShowsWhatWasChangedElsewhere) {
    ASSERT_TRUE(done(pool().create(raw("a"))));
    ASSERT_EQ(chmod(fuse("a").c_str(), 0644), 0);
    ASSERT_EQ(chown(fuse("a").c_str(), 12, 34), 0);
    ASSERT_TRUE(done(pool().refresh()));
    expect("a", 0644, 12, 34);
}

}  // namespace sfg::test
