// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/pieces.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/fault_store.hpp"

namespace sfg {
namespace {

using test::FaultStore;
using test::MemoryStore;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kBlock = 4096;

MemoryStore file_with(std::uint64_t size, const std::vector<Extent>& data) {
    MemoryStore file;
    for (const Extent& extent : data)
        EXPECT_TRUE(file.write_at(
            extent.offset,
            std::vector<std::byte>(static_cast<std::size_t>(extent.length), std::byte{1})));
    EXPECT_TRUE(file.resize(size));
    return file;
}

std::vector<Extent> all_of(Pieces& pieces) {
    std::vector<Extent> found;
    while (true) {
        const auto piece = pieces.next();
        EXPECT_TRUE(piece);
        if (!piece || !*piece) return found;
        found.push_back(**piece);
    }
}

std::vector<Extent> pieces_of(ByteSource& file, std::uint64_t begin, std::uint64_t end) {
    Pieces pieces(file, begin, end);
    return all_of(pieces);
}

TEST(PiecesOfAFile, EndAtMultiplesOfTheUnit) {
    MemoryStore file = file_with(3 * kMiB, {{0, 3 * kMiB}});
    EXPECT_EQ(pieces_of(file, 0, 3 * kMiB),
              (std::vector<Extent>{{0, kMiB}, {kMiB, kMiB}, {2 * kMiB, kMiB}}));
    EXPECT_EQ(pieces_of(file, 10, 2 * kMiB + 5),
              (std::vector<Extent>{{10, kMiB - 10}, {kMiB, kMiB}, {2 * kMiB, 5}}));
    EXPECT_EQ(pieces_of(file, kMiB, kMiB + 1), (std::vector<Extent>{{kMiB, 1}}));
}

TEST(PiecesOfAFile, AreNoneOfNothing) {
    MemoryStore file = file_with(kMiB, {{0, kMiB}});
    EXPECT_TRUE(pieces_of(file, 0, 0).empty());
    EXPECT_TRUE(pieces_of(file, 77, 77).empty());
    EXPECT_TRUE(pieces_of(file, kMiB, kMiB).empty());
    MemoryStore hole = file_with(100 * kMiB, {});
    EXPECT_TRUE(pieces_of(hole, 0, 100 * kMiB).empty());
    MemoryStore empty;
    EXPECT_TRUE(pieces_of(empty, 0, 0).empty());
}

TEST(PiecesOfAFile, LeaveHolesOut) {
    MemoryStore file =
        file_with(std::uint64_t{1} << 40, {{kBlock, kBlock},
                                           {5 * kMiB - kBlock, 2 * kBlock},
                                           {(std::uint64_t{1} << 40) - kBlock, kBlock}});
    EXPECT_EQ(pieces_of(file, 0, std::uint64_t{1} << 40),
              (std::vector<Extent>{{kBlock, kBlock},
                                   {5 * kMiB - kBlock, kBlock},
                                   {5 * kMiB, kBlock},
                                   {(std::uint64_t{1} << 40) - kBlock, kBlock}}));
}

TEST(PiecesOfAFile, BeginAndEndWithinData) {
    MemoryStore file = file_with(20 * kBlock, {{2 * kBlock, 2 * kBlock}, {8 * kBlock, kBlock}});
    EXPECT_EQ(pieces_of(file, 3 * kBlock + 7, 8 * kBlock + 9),
              (std::vector<Extent>{{3 * kBlock + 7, kBlock - 7}, {8 * kBlock, 9}}));
    // In a hole on either side.
    EXPECT_EQ(pieces_of(file, 4 * kBlock + 1, 8 * kBlock), (std::vector<Extent>{}));
    EXPECT_EQ(pieces_of(file, 5 * kBlock, 15 * kBlock),
              (std::vector<Extent>{{8 * kBlock, kBlock}}));
}

TEST(PiecesOfAFile, ThatEndsEarlierEndWithIt) {
    MemoryStore file = file_with(3 * kBlock + 100, {{0, 3 * kBlock + 100}});
    EXPECT_EQ(pieces_of(file, 0, 10 * kMiB), (std::vector<Extent>{{0, 3 * kBlock + 100}}));
    EXPECT_TRUE(pieces_of(file, 4 * kMiB, 10 * kMiB).empty());
}

TEST(PiecesOfAFile, AreAllOfItWhereHolesAreNotTold) {
    MemoryStore file = file_with(2 * kMiB + 1, {{0, 1}});
    file.set_knows_holes(false);
    Pieces pieces(file, 100, 2 * kMiB + 1);
    EXPECT_TRUE(pieces.knows_holes()) << "not asked yet";
    EXPECT_EQ(all_of(pieces),
              (std::vector<Extent>{{100, kMiB - 100}, {kMiB, kMiB}, {2 * kMiB, 1}}));
    EXPECT_FALSE(pieces.knows_holes());
}

TEST(PiecesOfAFile, AreAskedForOnceAnExtent) {
    FaultStore file{file_with(8 * kMiB, {{0, 4 * kMiB}})};
    EXPECT_EQ(pieces_of(file, 0, 8 * kMiB).size(), 4U);
    EXPECT_EQ(file.count(FaultStore::Call::find_data), 2U);
    FaultStore plain{file_with(8 * kMiB, {{0, 4 * kMiB}})};
    plain.content().set_knows_holes(false);
    EXPECT_EQ(pieces_of(plain, 0, 8 * kMiB).size(), 8U);
    EXPECT_EQ(plain.count(FaultStore::Call::find_data), 1U) << "the answer does not change";
}

TEST(PiecesOfAFile, FailWhereLookingForDataDoes) {
    FaultStore file{file_with(8 * kMiB, {{0, kBlock}, {4 * kMiB, kBlock}})};
    Pieces pieces(file, 0, 8 * kMiB);
    ASSERT_TRUE(pieces.next());
    file.faults().fail_kind = FaultStore::Call::find_data;
    const auto failed = pieces.next();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind(), ErrorKind::io);
    EXPECT_TRUE(pieces.knows_holes());
}

TEST(PiecesOfAFile, GoToOneThreadEach) {
    MemoryStore file = file_with(200 * kBlock * 2, {});
    for (std::uint64_t i = 0; i < 200; ++i)
        ASSERT_TRUE(file.write_at(i * 2 * kBlock, std::vector<std::byte>(kBlock)));
    Pieces pieces(file, 0, 200 * kBlock * 2);
    std::mutex mutex;
    std::vector<Extent> found;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (const Extent& piece : all_of(pieces)) {
                const std::lock_guard held(mutex);
                found.push_back(piece);
            }
        });
    for (auto& thread : threads) thread.join();
    std::sort(found.begin(), found.end(),
              [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
    ASSERT_EQ(found.size(), 200U);
    for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_EQ(found[i], (Extent{i * 2 * kBlock, kBlock}));
}

}  // namespace
}  // namespace sfg
