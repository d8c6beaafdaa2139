// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is downloaded is what stands in the volume.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

class DownloadTest : public PoolTest {
  protected:
    // A volume that was made over FUSE.
    Volume made(const std::string& name, const std::string& bytes) {
        write_file(name, bytes);
        EXPECT_TRUE(done(pool().refresh()));
        return *pool().volume(name);
    }
};

}  // namespace

TEST_F(DownloadTest, OfEverySizeArrivesWhole) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{511}, std::size_t{512}, kMiB - 1, kMiB,
          kMiB + 1, 64 * kMiB, 64 * kMiB + 4097}) {
        const std::string bytes = noise(size);
        const auto got = download(made("s" + std::to_string(size), bytes));
        ASSERT_TRUE(done(got)) << size;
        EXPECT_TRUE(same_bytes(*got, bytes)) << size;
    }
}

TEST_F(DownloadTest, OfAPartIsThatPart) {
    constexpr std::size_t kSize = 3 * kMiB + 17;
    const std::string bytes = noise(kSize);
    const auto volume = made("a", bytes);
    for (const Part part :
         {Part{0, 1}, Part{1, 1}, Part{511, 2}, Part{512, 512}, Part{kMiB - 1, kMiB + 2},
          Part{2 * kMiB, kMiB}, Part{4097, 70001}, Part{kSize - 1, 1}}) {
        const auto got = download(volume, part);
        ASSERT_TRUE(done(got)) << part.offset << "+" << part.length;
        EXPECT_TRUE(same_bytes(*got, bytes.substr(part.offset, part.length)))
            << part.offset << "+" << part.length;
    }
}

TEST_F(DownloadTest, WithoutALengthGoesToTheEnd) {
    const std::string bytes = noise(2 * kMiB + 5);
    const auto got = download(made("a", bytes), {kMiB + 3, 0});
    ASSERT_TRUE(done(got));
    EXPECT_TRUE(same_bytes(*got, bytes.substr(kMiB + 3)));
}

TEST_F(DownloadTest, OverTheEndIsShort) {
    const auto volume = made("a", noise(1000));
    EXPECT_EQ(download(volume, {900, 500})->size(), 100u);
    EXPECT_EQ(download(volume, {1000, 500})->size(), 0u);
    EXPECT_EQ(download(volume, {5000, 0})->size(), 0u);
    EXPECT_EQ(download(volume, {0, 1ull << 40})->size(), 1000u);
}

TEST_F(DownloadTest, HolesAreZerosToWhoDoesNotAskForThem) {
    ASSERT_TRUE(done(pool().create(raw("a", 32 * kMiB + 5))));
    const auto got = download(*pool().volume("a"));
    ASSERT_TRUE(done(got));
    EXPECT_TRUE(same_bytes(*got, std::string(32 * kMiB + 5, '\0')));
}

TEST_F(DownloadTest, AQcow2VolumeIsItsFile) {
    ASSERT_TRUE(done(pool().create(qcow2("base", 4 * kMiB))));
    ASSERT_TRUE(done(pool().create(overlay("a", "base"))));
    const auto got = download(*pool().volume("a"));
    ASSERT_TRUE(done(got));
    EXPECT_TRUE(same_bytes(*got, read_file("a")));
}

TEST_F(DownloadTest, IntoAReaderThatIsSlow) {
    const std::string bytes = noise(40 * kMiB);
    const auto stream = begin_download(made("a", bytes));
    ASSERT_TRUE(done(stream));
    // Odd pieces, with a call in between on the same connection.
    std::string got;
    while (true) {
        const auto some = stream->receive(999983);
        ASSERT_TRUE(done(some));
        if (some->empty()) break;
        got += *some;
        EXPECT_TRUE(done(pool().info()));
    }
    EXPECT_TRUE(done(stream->finish()));
    EXPECT_TRUE(same_bytes(got, bytes));
}

TEST_F(DownloadTest, OfADirectoryIsRefused) {
    auto volume = pool().create(directory("d"));
    ASSERT_TRUE(done(volume));
    EXPECT_FALSE(begin_download(*volume));
}

TEST_F(DownloadTest, OfAVolumeThatIsGoneSaysSo) {
    const auto volume = made("a", "x");
    fs::remove(fuse("a"));
    EXPECT_TRUE(refused(begin_download(volume), VIR_ERR_NO_STORAGE_VOL, "refresh"));
}

// The first host's own user writes on; who reads must not be able to stop it.
TEST_F(DownloadTest, DoesNotHoldUpWhoWrites) {
    const auto volume = made("a", noise(32 * kMiB));
    const auto stream = begin_download(volume);
    ASSERT_TRUE(done(stream));
    const Ran wrote = shell("printf x | dd of=" + quoted(fuse("a")) +
                            " bs=1 seek=33554431 conv=notrunc status=none");
    EXPECT_TRUE(wrote.ok()) << wrote.output;
    EXPECT_TRUE(done(stream->abort()));
}

}  // namespace sfg::test
