// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Directories that gluster keeps for itself, under the names that the volume's options give them:
// what lies there is no volume, and needs nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/support/distributed_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

VolumeKind with_options_of_its_own() {
    return {"options", "", 2, 1, true};
}

class OwnDirectoriesTest : public DistributedPoolTest {
  protected:
    OwnDirectoriesTest() : DistributedPoolTest(with_options_of_its_own()) {}

    void set(const std::string& option, const std::string& value) {
        const Ran done = lab().gluster({"volume", "set", volume(), option, value});
        ASSERT_TRUE(done.ok()) << done.output;
    }

    // A pool over all of the volume.
    Pool whole() {
        PoolSpec root = spec();
        root.name += "-whole";
        root.directory = "/";
        const auto started = start(root);
        EXPECT_TRUE(done(started));
        return *started;
    }

    bool lists_anything_of(const Pool& of, const std::string& directory) {
        const auto names = of.volume_names();
        return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
            return name == directory || name.starts_with(directory + "/");
        });
    }

    void use_trash(const std::string& name) {
        ASSERT_NO_FATAL_FAILURE(set("features.trash", "on"));
        if (name != ".trashcan") {
            ASSERT_NO_FATAL_FAILURE(set("features.trash-dir", name));
        }
        ASSERT_TRUE(
            comes_true([&] { return fs::exists(brick_path(1) + "/" + name); }, seconds(20)));
        std::this_thread::sleep_for(seconds(1));
    }

    void use_snapshots(const std::string& name) {
        // A name that is set while snapshots are shown already stands nowhere that a client could
        // read.
        if (name != ".snaps") {
            ASSERT_NO_FATAL_FAILURE(set("features.snapshot-directory", name));
        }
        ASSERT_NO_FATAL_FAILURE(set("features.uss", "enable"));
        // Clients learn of it when they ask for the volume's description.
        std::error_code ignored;
        comes_true([&] { return fs::exists(fuse(name), ignored); }, seconds(10));
        std::this_thread::sleep_for(seconds(1));
    }

    bool is_in(const std::string& directory, const std::string& prefix) const {
        for (int one = 1; one <= kind().bricks; ++one)
            for (const auto& entry :
                 fs::recursive_directory_iterator(brick_path(one) + "/" + directory))
                if (entry.path().filename().string().starts_with(prefix)) return true;
        return false;
    }

    // An overlay that somebody has deleted on a mount is in the trash after this.
    void put_an_overlay_into(const std::string& trash) {
        ASSERT_TRUE(done(pool().create(qcow2("base", kTakenFrom))));
        make_overlay("ov", fuse("base"));
        ASSERT_TRUE(done(pool().refresh()));
        ASSERT_TRUE(refused(pool().volume("base")->erase(), VIR_ERR_RESOURCE_BUSY, "'ov'"));
        fs::remove(fuse("ov"));
        ASSERT_TRUE(is_in(trash, "ov_"));
    }
};

}  // namespace

TEST_F(OwnDirectoriesTest, WhatIsInTheTrashIsNeitherListedNorCounts) {
    ASSERT_NO_FATAL_FAILURE(use_trash(".trashcan"));
    ASSERT_NO_FATAL_FAILURE(put_an_overlay_into(".trashcan"));
    Pool all = whole();
    EXPECT_FALSE(lists_anything_of(all, ".trashcan"));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(done(pool().volume("base")->erase()));
}

TEST_F(OwnDirectoriesTest, WhatIsInATrashOfAnotherNameIsNeitherListedNorCounts) {
    ASSERT_NO_FATAL_FAILURE(use_trash("wastebasket"));
    ASSERT_NO_FATAL_FAILURE(put_an_overlay_into("wastebasket"));
    Pool all = whole();
    EXPECT_FALSE(lists_anything_of(all, "wastebasket"));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(done(pool().volume("base")->erase()));
}

TEST_F(OwnDirectoriesTest, NothingIsMadeInATrashOfAnotherName) {
    ASSERT_NO_FATAL_FAILURE(use_trash("wastebasket"));
    Pool all = whole();
    EXPECT_FALSE(all.create(raw("wastebasket")));
    EXPECT_FALSE(all.create(raw("wastebasket/a")));
    // Elsewhere it is a name like any other.
    EXPECT_TRUE(done(pool().create(raw("wastebasket"))));
}

TEST_F(OwnDirectoriesTest, NothingIsMadeWhereSnapshotsAreShown) {
    ASSERT_NO_FATAL_FAILURE(use_snapshots(".snaps"));
    for (const char* const name : {".snaps", ".snaps/a", "instances/.snaps", "instances/.snaps/a"})
        EXPECT_FALSE(pool().create(raw(name))) << name;
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_FALSE(lists_anything_of(pool(), ".snaps"));
}

TEST_F(OwnDirectoriesTest, NothingIsMadeWhereSnapshotsAreShownUnderAnotherName) {
    ASSERT_NO_FATAL_FAILURE(use_snapshots(".history"));
    for (const char* const name : {".history", ".history/a", "instances/.history/a"})
        EXPECT_FALSE(pool().create(raw(name))) << name;
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_FALSE(lists_anything_of(pool(), ".history"));
}

}  // namespace sfg::test
