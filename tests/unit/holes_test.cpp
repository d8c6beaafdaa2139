// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/holes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "driver/transfer/pieces.hpp"
#include "driver/volumes/finish_upload.hpp"
#include "tests/support/fault_store.hpp"

namespace sfg {
namespace {

using test::FaultStore;
using test::MemoryStore;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kGiB = 1 << 30;
constexpr std::uint64_t kBlock = 4096;

std::vector<std::byte> ones(std::size_t length) {
    return std::vector<std::byte>(length, std::byte{1});
}

// A file of ones with `zeros` in it.
std::vector<std::byte> ones_but(std::size_t length, Extent zeros) {
    auto bytes = ones(length);
    const auto end = std::min<std::uint64_t>(zeros.end(), length);
    for (std::uint64_t at = zeros.offset; at < end; ++at)
        bytes[static_cast<std::size_t>(at)] = std::byte{0};
    return bytes;
}

struct Storage {
    const char* label;
    bool knows_holes;
    bool discards;
};

void PrintTo(const Storage& storage, std::ostream* out) {
    *out << storage.label;
}

class Hole : public testing::TestWithParam<Storage> {
  protected:
    FaultStore file_of(MemoryStore content) const {
        content.set_knows_holes(GetParam().knows_holes);
        content.set_discards(GetParam().discards);
        return FaultStore(std::move(content));
    }
};

TEST_P(Hole, ReadsAsZerosAndLeavesItsNeighbours) {
    constexpr std::size_t kSize = 3 * kMiB + 100;
    for (const Extent hole :
         {Extent{0, kSize}, Extent{0, 1}, Extent{kBlock + 1, kBlock}, Extent{5, 2 * kMiB + 7},
          Extent{kMiB, kMiB}, Extent{kSize - 1, 1}, Extent{1000, 0}}) {
        FaultStore file = file_of(MemoryStore(ones(kSize)));
        ASSERT_TRUE(make_hole(file, hole));
        EXPECT_EQ(*file.size(), kSize);
        EXPECT_EQ(file.content().bytes(0, kSize), ones_but(kSize, hole))
            << hole.offset << '+' << hole.length;
    }
}

TEST_P(Hole, OverTheEndGrowsTheFile) {
    FaultStore file = file_of(MemoryStore(ones(10000)));
    ASSERT_TRUE(make_hole(file, {8000, kGiB}));
    EXPECT_EQ(*file.size(), 8000 + kGiB);
    EXPECT_EQ(file.content().bytes(0, 20000), [] {
        auto bytes = ones_but(10000, {8000, 2000});
        bytes.resize(20000);
        return bytes;
    }());
    EXPECT_LE(file.content().written_bytes(), 3 * kBlock);
}

TEST_P(Hole, BehindTheEndGrowsTheFileAlone) {
    FaultStore file = file_of(MemoryStore(ones(1000)));
    ASSERT_TRUE(make_hole(file, {5 * kGiB, kGiB}));
    EXPECT_EQ(*file.size(), 6 * kGiB);
    EXPECT_EQ(file.content().bytes(0, 1000), ones(1000));
    EXPECT_EQ(file.count(FaultStore::Call::write), 0U);
    EXPECT_EQ(file.count(FaultStore::Call::discard), 0U);
}

TEST_P(Hole, InAnEmptyFileIsOneCall) {
    FaultStore file = file_of(MemoryStore());
    ASSERT_TRUE(make_hole(file, {0, kGiB}));
    EXPECT_EQ(file.log().size(), 2U) << "size and resize";
    EXPECT_EQ(*file.size(), kGiB);
}

TEST_P(Hole, FailsWhereTheStorageDoes) {
    for (const auto kind :
         {FaultStore::Call::size, FaultStore::Call::resize,
          GetParam().discards ? FaultStore::Call::discard : FaultStore::Call::write}) {
        FaultStore file = file_of(MemoryStore(ones(1000)));
        file.faults().fail_kind = kind;
        const auto made = make_hole(file, {0, 2000});
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().kind(), ErrorKind::io);
    }
}

INSTANTIATE_TEST_SUITE_P(OnStorage, Hole,
                         testing::Values(Storage{"ThatDiscards", true, true},
                                         Storage{"ThatDoesNotDiscard", true, false},
                                         Storage{"ThatKnowsNothing", false, false}),
                         [](const auto& test) { return test.param.label; });

TEST(AHole, GivesItsStorageBack) {
    MemoryStore file(ones(8 * kMiB));
    ASSERT_TRUE(make_hole(file, {kMiB, 6 * kMiB}));
    EXPECT_EQ(file.written_bytes(), 2 * kMiB);
}

TEST(OverwritingWithZeros, LeavesHolesAsTheyAre) {
    FaultStore file;
    ASSERT_TRUE(file.resize(kGiB));
    ASSERT_TRUE(file.write_at(kBlock, ones(kBlock)));
    ASSERT_TRUE(file.write_at(kGiB / 2, ones(100)));
    ASSERT_TRUE(overwrite_with_zeros(file, {0, kGiB}));
    EXPECT_EQ(file.content().written_bytes(), 2 * kBlock);
    EXPECT_EQ(file.content().bytes(kBlock, kBlock), std::vector<std::byte>(kBlock));
    EXPECT_EQ(file.content().bytes(kGiB / 2, 100), std::vector<std::byte>(100));
    EXPECT_EQ(*file.size(), kGiB);
}

TEST(OverwritingWithZeros, WritesOnlyOverDataWhereHolesAreNotTold) {
    FaultStore file;
    file.content().set_knows_holes(false);
    ASSERT_TRUE(file.resize(8 * kMiB));
    ASSERT_TRUE(file.write_at(5 * kMiB + 100, ones(3)));
    ASSERT_TRUE(overwrite_with_zeros(file, {0, 8 * kMiB}));
    EXPECT_EQ(file.content().bytes(5 * kMiB, kBlock), std::vector<std::byte>(kBlock));
    EXPECT_EQ(file.count(FaultStore::Call::write), 2U) << "ours and one block of zeros";
    EXPECT_EQ(file.content().written_bytes(), kBlock);
}

TEST(OverwritingWithZeros, KeepsToItsRange) {
    for (const bool knows : {true, false}) {
        MemoryStore file(ones(4 * kMiB));
        file.set_knows_holes(knows);
        ASSERT_TRUE(overwrite_with_zeros(file, {kMiB - 3, kMiB + 9}));
        EXPECT_EQ(file.bytes(0, 4 * kMiB), ones_but(4 * kMiB, {kMiB - 3, kMiB + 9}));
    }
}

TEST(OverwritingWithZeros, WritesNoMoreThanAUnitAtOnce) {
    FaultStore file{MemoryStore(ones(5 * kMiB))};
    ASSERT_TRUE(overwrite_with_zeros(file, {100, 5 * kMiB - 100}));
    for (const auto& entry : file.log()) EXPECT_LE(entry.length, kTransferUnit);
}

std::uint64_t padded(std::uint64_t size, std::uint64_t cluster_size) {
    MemoryStore file;
    EXPECT_TRUE(file.resize(size));
    EXPECT_TRUE(pad_image(file, cluster_size));
    return *file.size();
}

TEST(PaddingAnImage, GoesToWholeClusters) {
    EXPECT_EQ(padded(0, 65536), 0U);
    EXPECT_EQ(padded(1, 65536), 65536U);
    EXPECT_EQ(padded(65536, 65536), 65536U);
    EXPECT_EQ(padded(65537, 65536), 131072U);
    EXPECT_EQ(padded(5 * 65536 - 1, 65536), 5 * 65536U);
    EXPECT_EQ(padded(512 + 3, 512), 1024U);
    EXPECT_EQ(padded(3 * kMiB - 1, 2 * kMiB), 4 * kMiB);
    // A header that says nothing of clusters.
    EXPECT_EQ(padded(513, 0), 1024U);
}

TEST(PaddingAnImage, LeavesWhatIsThere) {
    FaultStore file{MemoryStore(ones(1000))};
    ASSERT_TRUE(pad_image(file, 4096));
    auto expected = ones(1000);
    expected.resize(4096);
    EXPECT_EQ(file.content().bytes(0, 4096), expected);
    const auto calls = file.log().size();
    ASSERT_TRUE(pad_image(file, 4096));
    EXPECT_EQ(file.log().size(), calls + 1) << "only the size is asked for";
    file.faults().fail_kind = FaultStore::Call::resize;
    EXPECT_FALSE(pad_image(file, 8192));
}

}  // namespace
}  // namespace sfg
