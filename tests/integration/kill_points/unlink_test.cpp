// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libvirt removes images of guests by the storage file module, which knows no pool: not under those
// that need them.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/integration/kill_points/operations.hpp"

namespace sfg::test {
namespace {

class UnlinkTest : public FaultTest {};

TEST_F(UnlinkTest, AnImageThatNobodyNeedsGoes) {
    ASSERT_TRUE(observer().request("create a qcow2 1048576 0 -").ok);
    Session virtqemud(directory());
    const Outcome gone = virtqemud.request("unlink a");
    EXPECT_TRUE(gone.ok) << gone.message;
    EXPECT_FALSE(std::filesystem::exists(fuse("a")));
    const Outcome again = virtqemud.request("unlink a");
    EXPECT_FALSE(again.ok);
}

// As after a snapshot that failed: whatever becomes of bricks and of other images.
TEST_F(UnlinkTest, WhatWasMadeAMomentAgoGoes) {
    Session virtqemud(directory());
    ASSERT_TRUE(virtqemud.request("make-disk new").ok);
    EXPECT_FALSE(virtqemud.request("make-disk new").ok);
    const Outcome gone = virtqemud.request("unlink new");
    EXPECT_TRUE(gone.ok) << gone.message;
    EXPECT_FALSE(std::filesystem::exists(fuse("new")));
}

TEST_F(UnlinkTest, TheBaseOfAnotherStays) {
    ASSERT_TRUE(observer().request("create a qcow2 1048576 0 -").ok);
    ASSERT_TRUE(observer().request("create b qcow2 1048576 0 a").ok);
    Session virtqemud(directory());
    const Outcome refused = virtqemud.request("unlink a");
    EXPECT_FALSE(refused.ok);
    EXPECT_NE(refused.message.find("it is the base of volume"), std::string::npos)
        << refused.message;
    EXPECT_TRUE(std::filesystem::exists(fuse("a")));
    ASSERT_TRUE(observer().request("delete b").ok);
    EXPECT_TRUE(virtqemud.request("unlink a").ok);
}

}  // namespace
}  // namespace sfg::test
