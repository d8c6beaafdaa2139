// SPDX-License-Identifier: LGPL-2.1-or-later
// Resizing and preallocating images of all kinds, with a second reading of the format as the judge.
// qcow2_resize_crash_test.cpp has what faults and power cuts do, qcow2_resize_qemu_test.cpp what
// qemu says.
#include "driver/qcow2/resize.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/create.hpp"
#include "driver/qcow2/header.hpp"
#include "driver/qcow2/layout.hpp"
#include "driver/qcow2/preallocate.hpp"
#include "tests/support/fault_store.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/qcow2_builder.hpp"
#include "tests/support/qcow2_checker.hpp"

namespace sfg::qcow2 {

namespace {

using test::build_qcow2;
using test::check_qcow2;
using test::FaultStore;
using test::guest_content;
using test::MemoryStore;
using test::Qcow2Recipe;
using test::random_recipe;
using Preallocation = CreateOptions::Preallocation;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

ResizeOptions to(std::uint64_t size, bool allow_shrink = false) {
    ResizeOptions options;
    options.virtual_size = size;
    options.allow_shrink = allow_shrink;
    options.base_size = 0;
    return options;
}

MemoryStore created(const CreateOptions& options) {
    MemoryStore file;
    auto made = create(file, options);
    EXPECT_TRUE(made) << made.error().message();
    return file;
}

MemoryStore disk(std::uint64_t size, std::uint64_t cluster_size = 65536) {
    CreateOptions options;
    options.virtual_size = size;
    options.cluster_size = cluster_size;
    return created(options);
}

MemoryStore built(const Qcow2Recipe& recipe, unsigned seed = 1) {
    std::mt19937_64 random(seed);
    return build_qcow2(recipe, random);
}

std::uint64_t size_of(ByteSource& file) {
    auto header = read_header(file);
    EXPECT_TRUE(header) << header.error().message();
    return header ? header->virtual_size : 0;
}

void poke32(MemoryStore& file, std::uint64_t offset, std::uint32_t value) {
    std::vector<std::byte> bytes(4);
    store_be<std::uint32_t>(bytes, 0, value);
    ASSERT_TRUE(file.write_at(offset, bytes));
}
void poke64(MemoryStore& file, std::uint64_t offset, std::uint64_t value) {
    std::vector<std::byte> bytes(8);
    store_be<std::uint64_t>(bytes, 0, value);
    ASSERT_TRUE(file.write_at(offset, bytes));
}
std::uint64_t peek64(MemoryStore& file, std::uint64_t offset) {
    return load_be<std::uint64_t>(file.bytes(offset, 8), 0);
}

void expect_clean(ByteSource& file, std::uint64_t size, std::uint64_t cluster_size) {
    EXPECT_EQ(check_qcow2(file), "");
    EXPECT_EQ(size_of(file), size);
    EXPECT_EQ(*file.size() % cluster_size, 0u);
}

void expect_refused(MemoryStore file, const ResizeOptions& options, ErrorKind kind,
                    const std::string& words) {
    FaultStore store(std::move(file));
    const auto done = resize(store, options);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind(), kind) << done.error().message();
    EXPECT_NE(done.error().message().find(words), std::string::npos) << done.error().message();
    for (auto call : {FaultStore::Call::write, FaultStore::Call::resize})
        EXPECT_EQ(store.count(call), 0u) << "something was written before the refusal";
}

void expect_not_preallocated(MemoryStore file, ErrorKind kind, const std::string& words) {
    FaultStore store(std::move(file));
    const auto done = preallocate(store, Preallocation::metadata);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind(), kind) << done.error().message();
    EXPECT_NE(done.error().message().find(words), std::string::npos) << done.error().message();
    EXPECT_EQ(store.count(FaultStore::Call::write), 0u);
}

// Where the new end may lie.
std::uint64_t random_size(const Qcow2Recipe& recipe, std::mt19937_64& random) {
    const std::uint64_t cluster = std::uint64_t{1} << recipe.cluster_bits;
    switch (random() % 5) {
        case 0:
            return random() % (recipe.virtual_size + 1) / 512 * 512;
        case 1:
            return recipe.virtual_size + random() % (100 * cluster) / 512 * 512;
        case 2:
            return recipe.virtual_size + random() % (20000 * cluster) / 512 * 512;
        case 3:
            return (recipe.used_size + cluster - 1) / cluster * cluster;
        default:
            return recipe.virtual_size;
    }
}

}  // namespace

TEST(Qcow2ResizeTest, AnyImageTakesAnySizeAndStaysClean) {
    int grown = 0, shrunk = 0, refused = 0, moved = 0;
    for (unsigned seed = 0; seed < 700; ++seed) {
        std::mt19937_64 random(seed);
        const Qcow2Recipe recipe = random_recipe(random);
        const std::uint64_t cluster = std::uint64_t{1} << recipe.cluster_bits;
        MemoryStore file = build_qcow2(recipe, random);
        const std::uint64_t old_size = recipe.virtual_size;
        const std::uint64_t new_size = random_size(recipe, random);
        SCOPED_TRACE("seed " + std::to_string(seed) + " " + describe(recipe) + " to " +
                     std::to_string(new_size));
        ASSERT_EQ(check_qcow2(file), "");
        const auto content = guest_content(file, std::min(old_size, new_size));
        const std::uint64_t allocated = test::allocated_end(file);
        const auto old_header = *read_header(file);

        auto done = resize(file, to(new_size, true));
        if (new_size < allocated) {
            ASSERT_FALSE(done);
            EXPECT_EQ(done.error().kind(), ErrorKind::unsupported);
            EXPECT_NE(done.error().message().find("behind the new end"), std::string::npos);
            ASSERT_EQ(size_of(file), old_size);
            ASSERT_EQ(check_qcow2(file), "");
            ++refused;
            continue;
        }
        ASSERT_TRUE(done) << done.error().message();
        expect_clean(file, new_size, cluster);
        const auto after = guest_content(file, std::min(old_size, new_size));
        ASSERT_TRUE(after == content);
        if (recipe.base.empty()) {
            ASSERT_EQ(guest_content(file, new_size).size(), content.size());
        }
        if (HasFailure()) return;
        new_size > old_size ? ++grown : ++shrunk;
        if (read_header(file)->l1_table_offset != old_header.l1_table_offset) ++moved;
    }
    EXPECT_GT(grown, 150);
    EXPECT_GT(shrunk, 100);
    EXPECT_GT(refused, 50);
    EXPECT_GT(moved, 80);
}

TEST(Qcow2ResizeTest, AnyImageIsPreallocatedAndStaysClean) {
    for (unsigned seed = 0; seed < 250; ++seed) {
        std::mt19937_64 random(seed);
        const Qcow2Recipe recipe = random_recipe(random);
        SCOPED_TRACE("seed " + std::to_string(seed) + " " + describe(recipe));
        MemoryStore file = build_qcow2(recipe, random);
        ASSERT_EQ(check_qcow2(file), "");
        const auto content = guest_content(file, recipe.virtual_size);
        const std::uint64_t zeros = test::marked_as_zeros(file);
        const auto mode = static_cast<Preallocation>(1 + random() % 3);
        auto done = preallocate(file, mode);
        if (!recipe.base.empty() && !recipe.extended_l2) {
            ASSERT_FALSE(done);
            EXPECT_EQ(done.error().kind(), ErrorKind::unsupported);
            continue;
        }
        ASSERT_TRUE(done) << done.error().message();
        expect_clean(file, recipe.virtual_size, std::uint64_t{1} << recipe.cluster_bits);
        EXPECT_EQ(test::unallocated_clusters(file), 0u);
        EXPECT_EQ(test::marked_as_zeros(file), zeros);
        EXPECT_TRUE(guest_content(file, recipe.virtual_size) == content);
        if (HasFailure()) return;
    }
}

TEST(Qcow2ResizeTest, AnImageGrowsAgainAndAgain) {
    for (std::uint64_t cluster_size : {512u, 4096u, 65536u}) {
        MemoryStore file = disk(0, cluster_size);
        std::mt19937_64 random(cluster_size);
        std::uint64_t size = 0;
        for (int i = 0; i < 30; ++i) {
            size += random() % (size / 2 + 100 * cluster_size) / 512 * 512;
            auto done = resize(file, to(size));
            ASSERT_TRUE(done) << done.error().message();
            expect_clean(file, size, cluster_size);
            if (i % 8 == 0 && size < 5000 * cluster_size) {
                done = preallocate(file, Preallocation::metadata);
                ASSERT_TRUE(done) << done.error().message();
                expect_clean(file, size, cluster_size);
            }
            if (HasFailure()) return;
        }
    }
}

TEST(Qcow2ResizeTest, EveryClusterSizeGrowsFromNothingToTheLimit) {
    for (std::uint64_t cluster_size = 512; cluster_size <= 2 * kMiB; cluster_size *= 2) {
        for (bool extended_l2 : {false, true}) {
            const std::uint64_t largest = max_virtual_size(cluster_size, extended_l2);
            if (largest == 0) continue;
            CreateOptions options;
            options.cluster_size = cluster_size;
            options.extended_l2 = extended_l2;
            MemoryStore file = created(options);
            for (std::uint64_t size : {std::uint64_t{512}, kGiB, largest / 64 + kGiB}) {
                auto done = resize(file, to(size));
                ASSERT_TRUE(done) << cluster_size << ": " << done.error().message();
                expect_clean(file, size, cluster_size);
            }
            expect_refused(file, to(largest + 512), ErrorKind::unsupported, "at most");
            if (cluster_size != 512 && cluster_size != 65536 && cluster_size != 2 * kMiB) continue;
            auto done = resize(file, to(largest));
            ASSERT_TRUE(done) << cluster_size << ": " << done.error().message();
            expect_clean(file, largest, cluster_size);
        }
    }
}

TEST(Qcow2ResizeTest, GrowingWithinTheL1TableIsOneSmallWrite) {
    FaultStore file(disk(10 * kGiB));
    ASSERT_TRUE(resize(file, to(4096 * kGiB)));
    EXPECT_EQ(file.count(FaultStore::Call::write), 1u);
    EXPECT_EQ(file.count(FaultStore::Call::resize), 0u);
    EXPECT_EQ(file.log().back().call, FaultStore::Call::flush);
    for (const auto& entry : file.log())
        if (entry.call == FaultStore::Call::write) {
            EXPECT_LE(entry.length, 104u);
        }
    expect_clean(file.content(), 4096 * kGiB, 65536);
}

TEST(Qcow2ResizeTest, GarbageBehindTheL1TableDoesNotBecomeEntries) {
    Qcow2Recipe recipe;
    recipe.virtual_size = recipe.used_size = 64 * 512;
    MemoryStore clean = built(recipe);
    recipe.garbage_behind_l1 = true;
    MemoryStore file = built(recipe);
    const std::uint64_t size = 50 * 64 * 512;
    for (MemoryStore* image : {&clean, &file}) {
        const std::uint64_t before = read_header(*image)->l1_table_offset;
        ASSERT_TRUE(resize(*image, to(size)));
        expect_clean(*image, size, 512);
        EXPECT_EQ(read_header(*image)->l1_table_offset == before, image == &clean);
    }
}

TEST(Qcow2ResizeTest, TheSameSizeChangesNothing) {
    FaultStore file(disk(kGiB));
    ASSERT_TRUE(resize(file, to(kGiB)));
    EXPECT_EQ(file.count(FaultStore::Call::write), 0u);
}

TEST(Qcow2ResizeTest, ADiskShrinksToNothingAndGrowsAgain) {
    MemoryStore file = disk(kGiB, 512);
    for (std::uint64_t size : {std::uint64_t{512}, std::uint64_t{0}, kGiB, std::uint64_t{0}}) {
        auto done = resize(file, to(size, true));
        ASSERT_TRUE(done) << done.error().message();
        expect_clean(file, size, 512);
    }
}

TEST(Qcow2ResizeTest, AShrinkFreesTheL2TablesBehindTheEnd) {
    Qcow2Recipe recipe;
    recipe.virtual_size = 100 * 512;
    recipe.l1_slack = recipe.empty_l2_behind = 3;
    MemoryStore file = built(recipe);
    ASSERT_TRUE(resize(file, to(50 * 512, true)));
    expect_clean(file, 50 * 512, 512);
    EXPECT_EQ(read_header(file)->l1_size, 1u);
}

TEST(Qcow2ResizeTest, ADiskDoesNotShrinkInsideAnAllocatedCluster) {
    CreateOptions options;
    options.virtual_size = 3 * 65536;
    options.preallocation = Preallocation::metadata;
    for (std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{65536}, std::uint64_t{3 * 65536 - 512}}) {
        expect_refused(created(options), to(size, true), ErrorKind::unsupported,
                       "behind the new end");
    }
}

TEST(Qcow2ResizeTest, ClustersThatAreOnlyMarkedAsZerosDoNotHinderAShrink) {
    Qcow2Recipe recipe;
    recipe.virtual_size = recipe.used_size = 200 * 512;
    recipe.data_percent = 0;
    recipe.zero_percent = 90;
    MemoryStore file = built(recipe);
    ASSERT_TRUE(resize(file, to(512 * 3 + 512, true)));
    expect_clean(file, 512 * 4, 512);
    ASSERT_TRUE(resize(file, to(200 * 512)));
    EXPECT_TRUE(guest_content(file, 200 * 512).empty());
}

TEST(Qcow2ResizeTest, WhatCannotBeDoneIsRefusedInPlainWords) {
    expect_refused(disk(kGiB), to(kGiB + 100), ErrorKind::invalid, "multiple of 512");
    expect_refused(disk(kGiB), to(kMiB), ErrorKind::invalid, "not asked for");
    expect_refused(MemoryStore(), to(kMiB), ErrorKind::invalid, "not a qcow2 image");

    const auto with_features = [](std::uint64_t bits) {
        MemoryStore file = disk(kGiB);
        poke64(file, field::kIncompatibleFeatures, bits);
        return file;
    };
    expect_refused(with_features(incompatible::kDirty), to(2 * kGiB), ErrorKind::corrupt,
                   "qemu-img check -r all");
    expect_refused(with_features(incompatible::kCorrupt), to(2 * kGiB), ErrorKind::corrupt,
                   "marked as corrupt");
    expect_refused(with_features(incompatible::kExternalDataFile), to(2 * kGiB),
                   ErrorKind::unsupported, "external data file");
    MemoryStore encrypted = disk(kGiB);
    poke32(encrypted, field::kCryptMethod, kCryptAes);
    expect_refused(encrypted, to(2 * kGiB), ErrorKind::unsupported, "encrypted");
}

TEST(Qcow2ResizeTest, BitmapsHinderAResizeButNotPreallocation) {
    MemoryStore file = disk(kGiB);
    poke64(file, field::kAutoclearFeatures, autoclear::kBitmaps);
    poke32(file, kHeaderLengthV3Written, extension::kBitmaps);
    poke32(file, kHeaderLengthV3Written + 4, kBitmapsExtensionLength);
    poke64(file, kHeaderLengthV3Written + 8, std::uint64_t{1} << 32);
    poke64(file, kHeaderLengthV3Written + 16, 64);
    poke64(file, kHeaderLengthV3Written + 24, 0x50000);
    poke64(file, kHeaderLengthV3Written + 32, 0);
    expect_refused(file, to(2 * kGiB), ErrorKind::unsupported, "qemu-img bitmap --remove");
    ASSERT_TRUE(preallocate(file, Preallocation::metadata));
    EXPECT_TRUE(read_header(file)->has_bitmaps);
}

TEST(Qcow2ResizeTest, UnknownAutoclearFeaturesAreCleared) {
    for (int way = 0; way < 3; ++way) {
        MemoryStore file = disk(kMiB);
        poke64(file, field::kAutoclearFeatures, std::uint64_t{1} << 40);
        auto done = way == 2 ? preallocate(file, Preallocation::metadata)
                             : resize(file, to(way == 0 ? 2 * kMiB : kGiB << 20));
        ASSERT_TRUE(done) << done.error().message();
        EXPECT_EQ(peek64(file, field::kAutoclearFeatures), 0u);
    }
}

TEST(Qcow2ResizeTest, AnOverlayGrowsOnlyWhenItsBaseHasNothingToShow) {
    CreateOptions options;
    options.virtual_size = kGiB;
    options.backing_file = "base";
    options.backing_format = "raw";
    ResizeOptions larger = to(2 * kGiB);
    larger.base_size.reset();
    expect_refused(created(options), larger, ErrorKind::invalid, "size of the base");
    larger.base_size = kGiB + 512;
    expect_refused(created(options), larger, ErrorKind::unsupported, "would show");
    larger.base_size = kGiB;
    MemoryStore file = created(options);
    EXPECT_TRUE(resize(file, larger));
    EXPECT_EQ(read_header(file)->backing_file, "base");
}

TEST(Qcow2ResizeTest, SnapshotsMustKnowTheirSize) {
    Qcow2Recipe recipe;
    recipe.virtual_size = recipe.used_size = 100 * 512;
    recipe.snapshot = true;
    MemoryStore file = built(recipe);
    MemoryStore forgetful = file;
    poke32(forgetful, read_header(file)->snapshots_offset + 36, 8);
    expect_refused(forgetful, to(200 * 512), ErrorKind::unsupported, "internal snapshot");
    MemoryStore endless = file;
    poke32(endless, field::kSnapshotCount, 65536);
    poke32(endless, read_header(file)->snapshots_offset + 36, 0x7fffffff);
    expect_refused(endless, to(200 * 512), ErrorKind::corrupt, "snapshots");
    ASSERT_TRUE(resize(file, to(2000 * 512)));
    expect_clean(file, 2000 * 512, 512);

    recipe.version = 2;
    expect_refused(built(recipe), to(200 * 512), ErrorKind::unsupported, "version 2");
}

TEST(Qcow2ResizeTest, DataBehindTheEndDoesNotBecomePartOfTheDisk) {
    Qcow2Recipe recipe;
    recipe.virtual_size = recipe.used_size = 200 * 512;
    recipe.data_percent = 100;
    MemoryStore file = built(recipe);
    poke64(file, field::kSize, 100 * 512);  // as the memory of a guest in an internal snapshot
    ASSERT_EQ(check_qcow2(file), "");
    expect_refused(file, to(101 * 512), ErrorKind::unsupported, "behind the end");
    expect_refused(file, to(50 * 512, true), ErrorKind::unsupported, "behind the new end");
}

TEST(Qcow2ResizeTest, ClustersCountedBehindTheEndOfTheFileAreNotTaken) {
    MemoryStore file = disk(kMiB, 512);
    const std::uint64_t end = *file.size();
    const auto header = *read_header(file);
    const std::uint64_t block = peek64(file, header.refcount_table_offset);
    const std::uint64_t lost = end / 512 + 7;
    ASSERT_TRUE(file.write_at(block + lost * 2, std::vector<std::byte>{{}, std::byte{1}}));
    ASSERT_TRUE(resize(file, to(kGiB)));
    EXPECT_GT(read_header(file)->refcount_table_offset, lost * 512);
    EXPECT_GT(read_header(file)->l1_table_offset, lost * 512);
    EXPECT_EQ(check_qcow2(file), "cluster " + std::to_string(lost) + " has refcount 1 and 0 uses");
}

TEST(Qcow2ResizeTest, RefcountBlocksForWhatIsFarBehindTheEndStay) {
    Qcow2Recipe recipe;
    recipe.virtual_size = recipe.used_size = 100 * 512;
    recipe.free_table_clusters = 2;
    MemoryStore file = built(recipe);
    const auto header = *read_header(file);
    ASSERT_EQ(header.refcount_table_clusters, 3u);
    // An empty block at the end of the file, of which the last entry of the table knows.
    const std::uint64_t block = *file.size();
    ASSERT_TRUE(file.resize(block + 512));
    poke64(file, header.refcount_table_offset + 3 * 512 - 8, block);
    const std::uint64_t number = block / 512;
    const std::uint64_t counting =
        peek64(file, header.refcount_table_offset + number / 256 * 8) + number % 256 * 2;
    ASSERT_TRUE(file.write_at(counting, std::vector<std::byte>{{}, std::byte{1}}));
    ASSERT_EQ(check_qcow2(file), "");
    ASSERT_TRUE(resize(file, to(20000 * 512)));
    expect_clean(file, 20000 * 512, 512);
    EXPECT_EQ(read_header(file)->refcount_table_clusters, 3u);
}

TEST(Qcow2ResizeTest, TablesThatCannotBeRightAreRefused) {
    const std::uint64_t large = 100 * kGiB;  // more than the L1 table has room for
    const MemoryStore good = disk(kGiB, 4096);
    MemoryStore copy = good;
    const auto header = *read_header(copy);
    const std::uint64_t end = *copy.size();
    const auto damaged = [&](std::uint64_t offset, std::uint64_t value) {
        MemoryStore file = good;
        poke64(file, offset, value);
        return file;
    };
    expect_refused(damaged(field::kL1TableOffset, end), to(large), ErrorKind::corrupt, "L1 table");
    expect_refused(damaged(field::kL1TableOffset, std::uint64_t{1} << 62), to(large),
                   ErrorKind::corrupt, "L1 table");
    expect_refused(damaged(field::kRefcountTableOffset, end), to(large), ErrorKind::corrupt,
                   "refcount table");
    expect_refused(damaged(header.refcount_table_offset, 4097), to(large), ErrorKind::corrupt,
                   "cluster boundary");
    expect_refused(damaged(header.refcount_table_offset, end), to(large), ErrorKind::corrupt,
                   "refcount block");
    expect_refused(damaged(header.refcount_table_offset, 0), to(large), ErrorKind::corrupt,
                   "qemu-img check -r all");
    expect_refused(
        damaged(header.refcount_table_offset + 8, peek64(copy, header.refcount_table_offset)),
        to(large), ErrorKind::corrupt, "twice");
    // A refcount block that counts the L1 table as free.
    MemoryStore uncounted =
        damaged(peek64(copy, header.refcount_table_offset) + header.l1_table_offset / 4096 * 2, 0);
    EXPECT_FALSE(resize(uncounted, to(large)));
    EXPECT_EQ(*uncounted.size(), end);
    EXPECT_EQ(size_of(uncounted), kGiB);

    const std::uint64_t l1 = header.l1_table_offset;
    expect_refused(damaged(l1, 4096 + 512), to(0, true), ErrorKind::corrupt, "L1 table");
    expect_refused(damaged(l1, end), to(0, true), ErrorKind::corrupt, "L2 table");
    expect_refused(damaged(l1, std::uint64_t{1} << 60), to(0, true), ErrorKind::corrupt, "L1");
    MemoryStore twice = damaged(l1, 4096);
    poke64(twice, l1 + 8, 4096);
    expect_refused(twice, to(0, true), ErrorKind::corrupt, "twice");
    expect_not_preallocated(twice, ErrorKind::corrupt, "twice");
    expect_not_preallocated(damaged(l1, end), ErrorKind::corrupt, "L2 table");
}

TEST(Qcow2PreallocateTest, OffAndFullyAllocatedImagesAreLeftAlone) {
    CreateOptions options;
    options.virtual_size = 5 * kMiB;
    options.preallocation = Preallocation::metadata;
    FaultStore file(created(options));
    ASSERT_TRUE(preallocate(file, Preallocation::falloc));
    EXPECT_EQ(file.count(FaultStore::Call::write), 0u);
    EXPECT_EQ(file.count(FaultStore::Call::allocate), 0u);
    FaultStore empty(disk(5 * kMiB));
    ASSERT_TRUE(preallocate(empty, Preallocation::off));
    EXPECT_TRUE(empty.log().empty());
}

TEST(Qcow2PreallocateTest, MetadataWritesNoDataAndFallocReservesItFirst) {
    FaultStore metadata(disk(kGiB));
    ASSERT_TRUE(preallocate(metadata, Preallocation::metadata));
    EXPECT_LT(metadata.content().written_bytes(), kMiB);
    EXPECT_GT(*metadata.content().size(), kGiB);

    FaultStore falloc(disk(kGiB));
    const std::uint64_t end = *falloc.content().size();
    ASSERT_TRUE(preallocate(falloc, Preallocation::falloc));
    const auto first_change =
        std::find_if(falloc.log().begin(), falloc.log().end(), [](const auto& entry) {
            return entry.call != FaultStore::Call::read && entry.call != FaultStore::Call::size;
        });
    ASSERT_NE(first_change, falloc.log().end());
    EXPECT_EQ(first_change->call, FaultStore::Call::allocate);
    EXPECT_EQ(first_change->offset, end);
    EXPECT_EQ(first_change->length, *falloc.content().size() - end);
    EXPECT_LT(falloc.content().written_bytes(), kMiB);
}

TEST(Qcow2PreallocateTest, FallocWritesZerosWhereNothingCanBeReserved) {
    FaultStore file(disk(3 * kMiB));
    file.faults().fail_kind = FaultStore::Call::allocate;
    file.faults().error = Error(ErrorKind::unsupported, "not here");
    ASSERT_TRUE(preallocate(file, Preallocation::falloc));
    EXPECT_GE(file.content().written_bytes(), 3 * kMiB);
    expect_clean(file.content(), 3 * kMiB, 65536);
}

TEST(Qcow2PreallocateTest, AFullBrickIsTheErrorAndTheImageIsAsItWas) {
    FaultStore file(disk(3 * kMiB));
    const std::uint64_t end = *file.content().size();
    file.faults().fail_kind = FaultStore::Call::allocate;
    file.faults().error = Error(ErrorKind::no_space, "full");
    const auto done = preallocate(file, Preallocation::falloc);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind(), ErrorKind::no_space);
    EXPECT_EQ(file.count(FaultStore::Call::write), 0u);
    EXPECT_EQ(*file.content().size(), end);
}

TEST(Qcow2PreallocateTest, WhatIsTooLargeIsRefusedBeforeAnythingIsWritten) {
    expect_not_preallocated(disk(max_virtual_size(2 * kMiB, false), 2 * kMiB),
                            ErrorKind::unsupported, "longer");
    expect_not_preallocated(disk(max_virtual_size(512, false), 512), ErrorKind::unsupported,
                            "longer");
}

TEST(Qcow2PreallocateTest, AnOverlayNeedsSubclusters) {
    CreateOptions options;
    options.virtual_size = kMiB;
    options.backing_file = "base";
    expect_not_preallocated(created(options), ErrorKind::unsupported, "extended L2");
    options.extended_l2 = true;
    MemoryStore file = created(options);
    const auto content = guest_content(file, kMiB);
    ASSERT_TRUE(preallocate(file, Preallocation::metadata));
    EXPECT_TRUE(guest_content(file, kMiB) == content);
    expect_clean(file, kMiB, 65536);
}

TEST(Qcow2PreallocateTest, AResizeAndPreallocationTogetherAllocateTheNewPart) {
    MemoryStore file = disk(kMiB, 4096);
    ASSERT_TRUE(resize(file, to(100 * kMiB)));
    ASSERT_TRUE(preallocate(file, Preallocation::falloc));
    expect_clean(file, 100 * kMiB, 4096);
    EXPECT_EQ(test::allocated_end(file), 100 * kMiB);
}

}  // namespace sfg::qcow2
