// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a wipe leaves, and what the volume is afterwards.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/data_map.hpp"
#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

constexpr int kZero = VIR_STORAGE_VOL_WIPE_ALG_ZERO;
constexpr int kTrim = VIR_STORAGE_VOL_WIPE_ALG_TRIM;
constexpr int kRandom = VIR_STORAGE_VOL_WIPE_ALG_RANDOM;

class WipeTest : public PoolTest {
  protected:
    static constexpr std::uint64_t kSize = 5 * kMiB + 777;

    Volume made(const std::string& name, const std::string& bytes) {
        write_file(name, bytes);
        EXPECT_TRUE(done(pool().refresh()));
        return *pool().volume(name);
    }

    // As dumpxml shows it at once and after a refresh.
    void expect_raw_of_its_files_size(const std::string& name) {
        for (const bool refreshed : {false, true}) {
            if (refreshed) {
                ASSERT_TRUE(done(pool().refresh()));
            }
            const XmlText xml(*pool().volume(name)->xml());
            EXPECT_EQ(xml.at("//target/format/@type"), "raw") << refreshed;
            EXPECT_EQ(xml.number("/volume/capacity"), fs::file_size(fuse(name))) << refreshed;
            EXPECT_FALSE(xml.has("/volume/backingStore")) << refreshed;
            EXPECT_FALSE(xml.has("//target/clusterSize")) << refreshed;
        }
    }
};

}  // namespace

TEST_F(WipeTest, ZeroLeavesZerosWhereDataWas) {
    const auto volume = made("a", noise(kSize));
    ASSERT_TRUE(done(wipe(volume, kZero)));
    EXPECT_TRUE(same_bytes(read_file("a"), std::string(kSize, '\0')));
    // A disk that was reserved stays so.
    EXPECT_GE(space_of(fuse("a")), kSize);
}

TEST_F(WipeTest, TrimGivesTheSpaceBack) {
    const auto volume = made("a", noise(kSize));
    ASSERT_TRUE(done(wipe(volume, kTrim)));
    EXPECT_TRUE(same_bytes(read_file("a"), std::string(kSize, '\0')));
    EXPECT_LT(space_of(fuse("a")), 128 * kKiB);
    EXPECT_LT(pool().volume("a")->info()->allocation, 128 * kKiB);
    EXPECT_EQ(pool().volume("a")->info()->capacity, kSize);
}

TEST_F(WipeTest, RandomLeavesNothingOfWhatWas) {
    const auto volume = made("a", std::string(kSize, 'x'));
    ASSERT_TRUE(done(wipe(volume, kRandom)));
    const std::string once = read_file("a");
    ASSERT_EQ(once.size(), kSize);
    // Each byte is 'x' by chance once in 256.
    for (std::size_t at = 0; at < kSize; at += 4096) {
        const std::string block = once.substr(at, 4096);
        const auto left = static_cast<std::size_t>(std::count(block.begin(), block.end(), 'x'));
        ASSERT_LT(left, block.size() / 8 + 8) << at;
    }
    ASSERT_TRUE(done(wipe(volume, kRandom)));
    EXPECT_FALSE(same_bytes(read_file("a"), once));
}

TEST_F(WipeTest, HolesStayHoles) {
    for (const int algorithm : {kZero, kRandom}) {
        const std::string name = "a" + std::to_string(algorithm);
        ASSERT_TRUE(
            make_sparse(fuse(name), 4 * kGiB, {{kMiB, 8192}, {2 * kGiB, kMiB}, {3 * kGiB, 4096}}));
        ASSERT_TRUE(done(pool().refresh()));
        const std::string before = to_text(data_map(fuse(name)));
        ASSERT_TRUE(done(wipe(*pool().volume(name), algorithm)));
        EXPECT_EQ(to_text(data_map(fuse(name))), before) << algorithm;
        EXPECT_LT(space_of(fuse(name)), 2 * kMiB) << algorithm;
    }
}

TEST_F(WipeTest, AnEmptyVolumeToo) {
    for (const int algorithm : {kZero, kTrim, kRandom}) {
        const std::string name = "a" + std::to_string(algorithm);
        auto volume = pool().create(raw(name, 0));
        ASSERT_TRUE(done(volume));
        EXPECT_TRUE(done(wipe(*volume, algorithm))) << algorithm;
        EXPECT_EQ(fs::file_size(fuse(name)), 0u);
    }
}

TEST_F(WipeTest, AQcow2VolumeIsRawAfterwards) {
    ASSERT_TRUE(done(pool().create(qcow2("base", kGiB))));
    for (const int algorithm : {kZero, kTrim, kRandom}) {
        const std::string name = "d/q" + std::to_string(algorithm);
        auto volume = pool().create(overlay(name, "base"));
        ASSERT_TRUE(done(volume));
        const auto length = fs::file_size(fuse(name));
        ASSERT_TRUE(done(wipe(*volume, algorithm))) << algorithm;
        EXPECT_EQ(fs::file_size(fuse(name)), length) << algorithm;
        expect_raw_of_its_files_size(name);
        EXPECT_TRUE(done(volume->info()));
    }
    // Nobody needs the base any more.
    EXPECT_TRUE(done(pool().volume("base")->erase()));
}

// Random bytes may begin with the magic of any format: what was recorded wins.
TEST_F(WipeTest, AGuestsHeaderInAWipedVolumeIsItsData) {
    ASSERT_TRUE(done(pool().create(qcow2("secret", kGiB))));
    for (const int algorithm : {kZero, kTrim, kRandom}) {
        const std::string name = "a" + std::to_string(algorithm);
        auto volume = pool().create(qcow2(name, kGiB));
        ASSERT_TRUE(done(volume));
        ASSERT_TRUE(done(wipe(*volume, algorithm)));
        const Ran written =
            shell("cd " + quoted(lab().scratch()) +
                  " && qemu-img create -q -f qcow2 -u -F qcow2 -b secret guests 1G && dd if=guests "
                  "of=" +
                  quoted(fuse(name)) + " conv=notrunc status=none && rm guests");
        ASSERT_TRUE(written.ok()) << written.output;
        expect_raw_of_its_files_size(name);
    }
    EXPECT_TRUE(done(pool().volume("secret")->erase()));
}

TEST_F(WipeTest, EveryOtherAlgorithmIsRefusedByName) {
    const std::string bytes = noise(kMiB);
    const auto volume = made("a", bytes);
    for (const auto& [algorithm, name] : std::vector<std::pair<int, const char*>>{
             {VIR_STORAGE_VOL_WIPE_ALG_NNSA, "nnsa"},
             {VIR_STORAGE_VOL_WIPE_ALG_DOD, "dod"},
             {VIR_STORAGE_VOL_WIPE_ALG_BSI, "bsi"},
             {VIR_STORAGE_VOL_WIPE_ALG_GUTMANN, "gutmann"},
             {VIR_STORAGE_VOL_WIPE_ALG_SCHNEIER, "schneier"},
             {VIR_STORAGE_VOL_WIPE_ALG_PFITZNER7, "pfitzner7"},
             {VIR_STORAGE_VOL_WIPE_ALG_PFITZNER33, "pfitzner33"}})
        EXPECT_TRUE(refused(wipe(volume, algorithm), VIR_ERR_ARGUMENT_UNSUPPORTED, name));
    EXPECT_TRUE(same_bytes(read_file("a"), bytes));
}

TEST_F(WipeTest, ADirectoryIsRefused) {
    auto volume = pool().create(directory("d"));
    ASSERT_TRUE(done(volume));
    EXPECT_NE(wipe(*volume).code, VIR_ERR_OK);
    EXPECT_TRUE(exists("d"));
}

TEST_F(WipeTest, ThroughALinkNothingIsWiped) {
    const std::string bytes = noise(kMiB);
    made("a", bytes);
    fs::create_symlink("a", fuse("link"));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_NE(wipe(*pool().volume("link")).code, VIR_ERR_OK);
    EXPECT_TRUE(same_bytes(read_file("a"), bytes));
}

TEST_F(WipeTest, AVolumeThatIsGoneSaysSo) {
    const auto volume = made("a", "x");
    fs::remove(fuse("a"));
    EXPECT_TRUE(refused(wipe(volume), VIR_ERR_NO_STORAGE_VOL, "refresh"));
}

}  // namespace sfg::test
