// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Holes stay holes on their way through libvirt, as the FUSE mount shows them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/data_map.hpp"
#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using Map = std::vector<DataExtent>;

class SparseStreamTest : public PoolTest {
  protected:
    static std::string text_of(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        std::ostringstream bytes;
        bytes << file.rdbuf();
        return bytes.str();
    }
    std::string map_of(const std::string& name) const { return to_text(data_map(fuse(name))); }

    // Uploaded from a local file of this map and downloaded again.
    void expect_kept(std::uint64_t length, const Map& map) {
        SCOPED_TRACE(std::to_string(length) + " with" + to_text(map));
        ASSERT_TRUE(make_sparse(local("from"), length, map));
        const std::string wanted = to_text(data_map(local("from")));
        auto volume = pool().create(raw("v" + std::to_string(++number_), length));
        ASSERT_TRUE(done(volume));
        ASSERT_TRUE(done(upload_sparse(*volume, local("from"))));
        EXPECT_EQ(map_of(volume->name()), wanted);
        EXPECT_TRUE(same_bytes(read_file(volume->name()), text_of(local("from"))));
        ASSERT_TRUE(done(download_sparse(*volume, local("to"))));
        EXPECT_EQ(to_text(data_map(local("to"))), wanted);
        EXPECT_TRUE(same_bytes(text_of(local("to")), text_of(local("from"))));
    }

  private:
    int number_ = 0;
};

}  // namespace

TEST_F(SparseStreamTest, HolesAreKeptBothWays) {
    expect_kept(8 * kMiB, {{2 * kMiB, kMiB}});
    expect_kept(8 * kMiB, {{0, kMiB}, {7 * kMiB, kMiB}});
    expect_kept(9 * kMiB + 100, {{4096, 4096}, {3 * kMiB, 3 * kMiB}});
    expect_kept(40 * kMiB, {{4 * kMiB - 4096, 8192}, {20 * kMiB, 65536}, {39 * kMiB, kMiB}});
}

TEST_F(SparseStreamTest, AllHoleAndAllDataToo) {
    expect_kept(8 * kMiB, {});
    expect_kept(8 * kMiB, {{0, 8 * kMiB}});
    expect_kept(0, {});
    expect_kept(1, {});
}

TEST_F(SparseStreamTest, ManySmallOnesToo) {
    Map map;
    for (std::uint64_t at = 4096; at < 8 * kMiB; at += 64 * kKiB) map.push_back({at, 4096});
    expect_kept(8 * kMiB, map);
}

// gfapi's lseek and pread disturb each other on one descriptor (glfs-fops.c keeps both offsets in
// the same place), so that data could be taken for holes.
TEST_F(SparseStreamTest, HolesAreToldRightWhileOthersAreRead) {
    Map map;
    for (std::uint64_t at = 0; at < 256 * kMiB; at += 256 * kKiB) map.push_back({at, 12288});
    ASSERT_TRUE(make_sparse(fuse("a"), 256 * kMiB, map));
    ASSERT_TRUE(done(pool().refresh()));
    const std::string wanted = read_file("a");
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(done(download_sparse(*pool().volume("a"), local("to"))));
        ASSERT_TRUE(same_bytes(text_of(local("to")), wanted)) << round;
        EXPECT_EQ(to_text(data_map(local("to"))), to_text(data_map(fuse("a"))));
    }
}

TEST_F(SparseStreamTest, AHoleOverOldDataReadsAsZeros) {
    write_file("a", noise(12 * kMiB));
    ASSERT_TRUE(done(pool().refresh()));
    ASSERT_TRUE(make_sparse(local("from"), 10 * kMiB,
                            {{kMiB, 4096}, {5 * kMiB + 4096, 4096}, {9 * kMiB, 100 * kKiB}}));
    const std::string old_end = read_file("a").substr(10 * kMiB);
    ASSERT_TRUE(done(upload_sparse(*pool().volume("a"), local("from"))));
    EXPECT_TRUE(same_bytes(read_file("a"), text_of(local("from")) + old_end));
    // And the space is given back.
    EXPECT_LT(space_of(fuse("a")), 4 * kMiB);
}

TEST_F(SparseStreamTest, AHugeHoleTakesNoTime) {
    ASSERT_TRUE(make_sparse(local("from"), 512 * kGiB, {{300 * kGiB, kMiB}}));
    auto volume = pool().create(raw("a", 512 * kGiB));
    ASSERT_TRUE(done(volume));
    ASSERT_TRUE(done(upload_sparse(*volume, local("from"))));
    EXPECT_EQ(map_of("a"), to_text(data_map(local("from"))));
    ASSERT_TRUE(done(download_sparse(*volume, local("to"))));
    EXPECT_EQ(to_text(data_map(local("to"))), to_text(data_map(local("from"))));
    EXPECT_EQ(fs::file_size(local("to")), 512 * kGiB);
}

TEST_F(SparseStreamTest, APartWithHolesIsThatPart) {
    ASSERT_TRUE(make_sparse(fuse("a"), 8 * kMiB, {{2 * kMiB, kMiB}, {5 * kMiB, 4096}}));
    ASSERT_TRUE(done(pool().refresh()));
    // From the middle of a hole to the middle of another; unaligned.
    for (const Part part : {Part{kMiB + 1, 4 * kMiB + 1}, Part{2 * kMiB + 777, 3 * kMiB},
                            Part{6 * kMiB, 0}, Part{9 * kMiB, 0}}) {
        ASSERT_TRUE(done(download_sparse(*pool().volume("a"), local("to"), part)));
        const auto plain = download(*pool().volume("a"), part);
        ASSERT_TRUE(done(plain));
        EXPECT_TRUE(same_bytes(text_of(local("to")), *plain)) << part.offset;
    }
}

TEST_F(SparseStreamTest, HolesByHandAtTheEndCountForTheLength) {
    auto volume = pool().create(raw("a", 0));
    ASSERT_TRUE(done(volume));
    const auto stream = begin_upload(*volume, {}, VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM);
    ASSERT_TRUE(done(stream));
    EXPECT_TRUE(done(stream->send_hole(12345)));
    EXPECT_TRUE(done(stream->send("x")));
    EXPECT_TRUE(done(stream->send_hole(1)));
    EXPECT_TRUE(done(stream->send_hole(kMiB)));
    ASSERT_TRUE(done(stream->finish()));
    EXPECT_TRUE(
        same_bytes(read_file("a"), std::string(12345, '\0') + "x" + std::string(kMiB + 1, '\0')));
}

// Shards know of no holes: they are found by their zeros.
TEST_F(SparseStreamTest, AShardedVolumeKeepsItsContents) {
    PoolSpec sharded = spec();
    sharded.name += "-sharded";
    sharded.volume =
        lab().extra_volume("it-sharded", {"features.shard=on", "features.shard-block-size=4MB"});
    sharded.directory = "/";
    auto other = start(sharded);
    ASSERT_TRUE(done(other));
    ASSERT_TRUE(make_sparse(local("from"), 20 * kMiB + 5,
                            {{kMiB, 4096}, {4 * kMiB - 4096, 8192}, {17 * kMiB, kMiB}}));
    if (auto left = other->volume("sparse-a")) left->erase();
    auto volume = other->create(raw("sparse-a", 20 * kMiB + 5));
    ASSERT_TRUE(done(volume));
    ASSERT_TRUE(done(upload_sparse(*volume, local("from"))));
    ASSERT_TRUE(done(download_sparse(*volume, local("to"))));
    EXPECT_TRUE(same_bytes(text_of(local("to")), text_of(local("from"))));
    EXPECT_LT(space_of(local("to")), 4 * kMiB);
    EXPECT_TRUE(done(volume->erase()));
}

}  // namespace sfg::test
