// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Other capacities for volumes that are there.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "tests/support/data_map.hpp"
#include "tests/support/image_checks.hpp"
#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kTiB = 1024 * kGiB;

class ResizeTest : public PoolTest {
  protected:
    // As libvirt has it from its own arithmetic, and as a refresh finds it.
    void expect_capacity(const std::string& name, std::uint64_t bytes) {
        EXPECT_EQ(pool().volume(name)->info()->capacity, bytes) << name;
        ASSERT_TRUE(done(pool().refresh()));
        EXPECT_EQ(pool().volume(name)->info()->capacity, bytes) << name;
    }
};

}  // namespace

TEST_F(ResizeTest, ARawVolumeGrowsByAHole) {
    const std::string bytes = noise(kMiB);
    const auto volume = *pool().create(raw("a", kMiB));
    ASSERT_TRUE(done(upload(volume, bytes)));
    ASSERT_TRUE(done(resize(*pool().volume("a"), 5 * kMiB)));
    expect_capacity("a", 5 * kMiB);
    EXPECT_EQ(fs::file_size(fuse("a")), 5 * kMiB);
    EXPECT_LE(space_of(fuse("a")), kMiB + 64 * kKiB);
    const auto got = download(*pool().volume("a"));
    EXPECT_TRUE(same_bytes(*got, bytes + std::string(4 * kMiB, '\0')));
}

TEST_F(ResizeTest, ARawVolumeGrowsWithItsSpaceAllocated) {
    const auto volume = *pool().create(raw("a", kMiB));
    ASSERT_TRUE(done(resize(volume, 8 * kMiB, VIR_STORAGE_VOL_RESIZE_ALLOCATE)));
    expect_capacity("a", 8 * kMiB);
    EXPECT_GE(space_of(fuse("a")), 8 * kMiB);
}

TEST_F(ResizeTest, ByADifference) {
    const auto volume = *pool().create(raw("a", 3 * kMiB));
    ASSERT_TRUE(done(resize(volume, kMiB, VIR_STORAGE_VOL_RESIZE_DELTA)));
    expect_capacity("a", 4 * kMiB);
    ASSERT_TRUE(done(resize(*pool().volume("a"), 2 * kMiB,
                            VIR_STORAGE_VOL_RESIZE_DELTA | VIR_STORAGE_VOL_RESIZE_SHRINK)));
    expect_capacity("a", 2 * kMiB);
}

TEST_F(ResizeTest, ARawVolumeShrinksOnlyWhenAsked) {
    const auto volume = *pool().create(raw("a", 8 * kMiB));
    EXPECT_TRUE(refused(resize(volume, kMiB), VIR_ERR_INVALID_ARG, "shrink"));
    expect_capacity("a", 8 * kMiB);
    ASSERT_TRUE(done(resize(*pool().volume("a"), kMiB, VIR_STORAGE_VOL_RESIZE_SHRINK)));
    expect_capacity("a", kMiB);
    EXPECT_EQ(fs::file_size(fuse("a")), kMiB);
}

TEST_F(ResizeTest, OddSizesOfRawVolumesAreKept) {
    const auto volume = *pool().create(raw("a", 1000));
    ASSERT_TRUE(done(resize(volume, 123457)));
    expect_capacity("a", 123457);
}

TEST_F(ResizeTest, AQcow2VolumeGrowsAndStaysSound) {
    for (const auto& [cluster, compat, to] :
         {std::tuple{512ul, "1.1", 100 * kMiB}, std::tuple{4096ul, "0.10", 7 * kGiB},
          std::tuple{65536ul, "1.1", 3 * kGiB + 512}, std::tuple{65536ul, "1.1", 50 * kTiB},
          std::tuple{2097152ul, "1.1", 9 * kTiB}}) {
        const std::string name = "c" + std::to_string(cluster) + "-" + std::to_string(to);
        VolumeSpec spec = qcow2(name, 10 * kMiB);
        spec.cluster_size = cluster;
        spec.compat = compat;
        ASSERT_TRUE(done(pool().create(spec)));
        ASSERT_TRUE(in_image("qcow2", fuse(name), "write -P 7 1M 3M;write -P 9 9M 1M"));
        ASSERT_TRUE(done(pool().refresh()));
        ASSERT_TRUE(done(resize(*pool().volume(name), to))) << name;
        expect_capacity(name, to);
        EXPECT_TRUE(sound(fuse(name)));
        EXPECT_EQ(image_field(fuse(name), "virtual-size"), std::to_string(to));
        EXPECT_TRUE(in_image("qcow2", fuse(name),
                             "read -P 0 0 1M;read -P 7 1M 3M;read -P 0 4M 5M;read -P 9 9M 1M;"
                             "read -P 0 10M 1M;write -P 5 90M 1M;read -P 5 90M 1M"));
        EXPECT_TRUE(sound(fuse(name)));
    }
}

TEST_F(ResizeTest, AnImageOfNoSizeGrows) {
    ASSERT_TRUE(done(pool().create(qcow2("a", 0))));
    ASSERT_TRUE(done(resize(*pool().volume("a"), kGiB)));
    expect_capacity("a", kGiB);
    EXPECT_TRUE(sound(fuse("a")));
    EXPECT_TRUE(in_image("qcow2", fuse("a"), "write -P 1 1000M 1M"));
}

TEST_F(ResizeTest, AQcow2VolumeOfOddSizeIsRoundedUp) {
    ASSERT_TRUE(done(pool().create(qcow2("a", kMiB))));
    ASSERT_TRUE(done(resize(*pool().volume("a"), 2 * kMiB + 1)));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume("a")->info()->capacity, 2 * kMiB + 512);
}

TEST_F(ResizeTest, AQcow2VolumeIsAllocatedWhenAsked) {
    ASSERT_TRUE(done(pool().create(qcow2("a", 4 * kMiB))));
    ASSERT_TRUE(in_image("qcow2", fuse("a"), "write -P 7 1M 1M"));
    ASSERT_TRUE(done(pool().refresh()));
    ASSERT_TRUE(done(resize(*pool().volume("a"), 16 * kMiB, VIR_STORAGE_VOL_RESIZE_ALLOCATE)));
    EXPECT_TRUE(sound(fuse("a")));
    EXPECT_GE(space_of(fuse("a")), 16 * kMiB);
    EXPECT_TRUE(in_image("qcow2", fuse("a"), "read -P 0 0 1M;read -P 7 1M 1M;read -P 0 2M 14M"));
}

TEST_F(ResizeTest, AllocatingAnOverlayIsRefusedAndChangesNothing) {
    ASSERT_TRUE(done(pool().create(qcow2("base", 4 * kMiB))));
    ASSERT_TRUE(done(pool().create(overlay("top", "base"))));
    EXPECT_TRUE(refused(resize(*pool().volume("top"), 8 * kMiB, VIR_STORAGE_VOL_RESIZE_ALLOCATE),
                        VIR_ERR_CONFIG_UNSUPPORTED, "it has a base"));
    expect_capacity("top", 4 * kMiB);
}

TEST_F(ResizeTest, AQcow2VolumeShrinksByWhatWasNeverWritten) {
    ASSERT_TRUE(done(pool().create(qcow2("a", kGiB))));
    ASSERT_TRUE(in_image("qcow2", fuse("a"), "write -P 7 20M 1M"));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(refused(resize(*pool().volume("a"), 10 * kMiB, VIR_STORAGE_VOL_RESIZE_SHRINK),
                        VIR_ERR_CONFIG_UNSUPPORTED, "volume 'a'"));
    expect_capacity("a", kGiB);
    EXPECT_TRUE(sound(fuse("a")));
    ASSERT_TRUE(done(resize(*pool().volume("a"), 21 * kMiB, VIR_STORAGE_VOL_RESIZE_SHRINK)));
    expect_capacity("a", 21 * kMiB);
    EXPECT_TRUE(sound(fuse("a")));
    EXPECT_TRUE(in_image("qcow2", fuse("a"), "read -P 7 20M 1M"));
}

TEST_F(ResizeTest, AnOverlayGrowsOverItsBaseAndTheNewPartIsZeros) {
    ASSERT_TRUE(done(pool().create(qcow2("base", 4 * kMiB))));
    ASSERT_TRUE(in_image("qcow2", fuse("base"), "write -P 3 0 4M"));
    ASSERT_TRUE(done(pool().create(overlay("d/top", "base"))));
    ASSERT_TRUE(done(resize(*pool().volume("d/top"), 100 * kMiB)));
    EXPECT_TRUE(sound(fuse("d/top")));
    EXPECT_TRUE(in_image("qcow2", fuse("d/top"), "read -P 3 0 4M;read -P 0 4M 96M"));
}

TEST_F(ResizeTest, ABaseGrowsUnderItsOverlaysButDoesNotShrinkBelowThem) {
    ASSERT_TRUE(done(pool().create(raw("base", 8 * kMiB))));
    ASSERT_TRUE(done(pool().create(overlay("top", "base", "raw"))));
    EXPECT_TRUE(done(resize(*pool().volume("base"), 16 * kMiB)));
    EXPECT_TRUE(refused(resize(*pool().volume("base"), 4 * kMiB, VIR_STORAGE_VOL_RESIZE_SHRINK),
                        VIR_ERR_RESOURCE_BUSY, "volume 'top'"));
    expect_capacity("base", 16 * kMiB);
    EXPECT_TRUE(done(resize(*pool().volume("base"), 8 * kMiB, VIR_STORAGE_VOL_RESIZE_SHRINK)));
    expect_capacity("base", 8 * kMiB);
}

TEST_F(ResizeTest, WhatAnotherHostHasJustResizedIsLookedAtAnew) {
    ASSERT_TRUE(done(pool().create(qcow2("a", kMiB))));
    auto other = pool_on(2);
    ASSERT_TRUE(done(resize(*other.volume("a"), 64 * kMiB)));
    // This host believes 1 MiB; for it this is a growth.
    EXPECT_TRUE(refused(resize(*pool().volume("a"), 2 * kMiB), VIR_ERR_INVALID_ARG, "shrink"));
    EXPECT_EQ(image_field(fuse("a"), "virtual-size"), std::to_string(64 * kMiB));
}

TEST_F(ResizeTest, OtherThingsAreRefusedInPlainWords) {
    ASSERT_TRUE(done(pool().create(directory("d"))));
    EXPECT_TRUE(refused(resize(*pool().volume("d"), kMiB), VIR_ERR_CONFIG_UNSUPPORTED,
                        "it is a directory"));
    ASSERT_TRUE(shell("qemu-img create -q -f vmdk " + quoted(fuse("v")) + " 10M").ok());
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + quoted(fuse("b")) +
                      " 10M && qemu-img bitmap "
                      "--add " +
                      quoted(fuse("b")) + " marks")
                    .ok());
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(
        refused(resize(*pool().volume("v"), 20 * kMiB), VIR_ERR_CONFIG_UNSUPPORTED, "vmdk"));
    EXPECT_TRUE(
        refused(resize(*pool().volume("b"), 20 * kMiB), VIR_ERR_CONFIG_UNSUPPORTED, "bitmap"));
    EXPECT_TRUE(refused(resize(*pool().volume("b"), 1ull << 62), VIR_ERR_CONFIG_UNSUPPORTED));
}

}  // namespace sfg::test
