// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is uploaded stands in the volume, byte for byte, and nothing else changes.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

class UploadTest : public PoolTest {
  protected:
    Volume made(const std::string& name, std::uint64_t capacity) {
        auto volume = pool().create(raw(name, capacity));
        EXPECT_TRUE(done(volume));
        return *volume;
    }

    // On the brick at once: that is what a finished upload says. Over FUSE within a second: the
    // kernel may have pages from before for a file that was read there a moment ago.
    testing::AssertionResult is_there(const std::string& name, const std::string& bytes) {
        std::ifstream file(brick(name), std::ios::binary);
        const std::string stored(std::istreambuf_iterator<char>(file), {});
        if (auto same = same_bytes(stored, bytes); !same) return same << ", on the brick";
        if (comes_true([&] { return static_cast<bool>(same_bytes(read_file(name), bytes)); },
                       std::chrono::seconds(1)))
            return testing::AssertionSuccess();
        return same_bytes(read_file(name), bytes) << ", over FUSE";
    }
};

}  // namespace

TEST_F(UploadTest, OfEverySizeArrivesWhole) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{511}, std::size_t{512}, kMiB - 1, kMiB,
          kMiB + 1, 64 * kMiB, 64 * kMiB + 4097}) {
        const std::string name = "s" + std::to_string(size);
        const std::string bytes = noise(size);
        ASSERT_TRUE(done(upload(made(name, size), bytes))) << size;
        EXPECT_TRUE(same_bytes(read_file(name), bytes)) << size;
        EXPECT_EQ(pool().volume(name)->info()->capacity, size);
    }
}

TEST_F(UploadTest, AtAnOffsetLeavesTheRestAlone) {
    constexpr std::size_t kSize = 3 * kMiB + 17;
    const std::string before = noise(kSize, 1);
    int number = 0;
    for (const Part part :
         {Part{0, 1}, Part{1, 1}, Part{511, 2}, Part{512, 512}, Part{kMiB - 1, kMiB + 2},
          Part{2 * kMiB, kMiB}, Part{4097, 70001}, Part{kSize - 1, 1}}) {
        const std::string name = "p" + std::to_string(number++);
        write_file(name, before);
        ASSERT_TRUE(done(pool().refresh()));
        const std::string bytes = noise(part.length, 2);
        ASSERT_TRUE(done(upload(*pool().volume(name), bytes, part)));
        std::string wanted = before;
        wanted.replace(part.offset, part.length, bytes);
        EXPECT_TRUE(is_there(name, wanted)) << part.offset << "+" << part.length;
    }
}

TEST_F(UploadTest, WithoutALengthTakesWhatComes) {
    const auto volume = made("a", 10);
    const std::string bytes = noise(2 * kMiB + 3);
    ASSERT_TRUE(done(upload(volume, bytes, {5, 0})));
    EXPECT_TRUE(same_bytes(read_file("a"), std::string(5, '\0') + bytes));
}

TEST_F(UploadTest, OfLessThanAnnouncedIsWhatCame) {
    const auto volume = made("a", 100);
    ASSERT_TRUE(done(upload(volume, std::string(10, 'x'), {0, 50})));
    EXPECT_TRUE(same_bytes(read_file("a"), std::string(10, 'x') + std::string(90, '\0')));
}

TEST_F(UploadTest, OfMoreThanAnnouncedIsRefusedAndStopsThere) {
    const std::string before = noise(4 * kMiB, 1);
    write_file("a", before);
    ASSERT_TRUE(done(pool().refresh()));
    const Refusal refusal =
        upload(*pool().volume("a"), std::string(2 * kMiB, 'x'), {512, kMiB + 1});
    EXPECT_TRUE(refused(refusal, VIR_ERR_SYSTEM_ERROR, "announced"));
    const std::string now = read_file("a");
    EXPECT_TRUE(same_bytes(now.substr(0, 512), before.substr(0, 512)));
    EXPECT_TRUE(same_bytes(now.substr(512 + kMiB + 1), before.substr(512 + kMiB + 1)));
}

TEST_F(UploadTest, BeyondTheEndMakesTheVolumeLonger) {
    const auto volume = made("a", kMiB);
    const std::string bytes = noise(kMiB);
    ASSERT_TRUE(done(upload(volume, bytes, {kMiB + 12345, bytes.size()})));
    EXPECT_TRUE(same_bytes(read_file("a"), std::string(kMiB + 12345, '\0') + bytes));
    // An upload is followed by a refresh of the pool, in a thread of libvirtd's.
    EXPECT_TRUE(comes_true([&] { return volume.info()->capacity == 2 * kMiB + 12345; },
                           std::chrono::seconds(5)));
}

TEST_F(UploadTest, ThatNoFileCanHoldIsRefused) {
    const auto volume = made("a", 100);
    for (const Part part :
         {Part{~0ull, 1}, Part{1, ~0ull}, Part{1ull << 63, 1}, Part{(1ull << 63) - 1, 2}})
        EXPECT_NE(upload(volume, "x", part).code, VIR_ERR_OK) << part.offset << "+" << part.length;
    EXPECT_EQ(read_file("a"), std::string(100, '\0'));
}

TEST_F(UploadTest, IsThereAsSoonAsItIsFinished) {
    const auto volume = made("a", kMiB);
    for (unsigned round = 0; round < 20; ++round) {
        const std::string bytes = noise(kMiB, round);
        ASSERT_TRUE(done(upload(volume, bytes)));
        ASSERT_TRUE(is_there("a", bytes)) << round;
    }
}

TEST_F(UploadTest, KeepsOwnerAndMode) {
    VolumeSpec spec = raw("a", kMiB);
    spec.mode = "0640";
    spec.owner = 4711;
    spec.group = 4712;
    auto volume = pool().create(spec);
    ASSERT_TRUE(done(volume));
    ASSERT_TRUE(done(upload(*volume, noise(2 * kMiB))));
    struct stat status {};
    ASSERT_EQ(stat(fuse("a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0640u);
    EXPECT_EQ(status.st_uid, 4711u);
    EXPECT_EQ(status.st_gid, 4712u);
}

TEST_F(UploadTest, ToADirectoryIsRefused) {
    auto volume = pool().create(directory("d"));
    ASSERT_TRUE(done(volume));
    EXPECT_FALSE(begin_upload(*volume));
}

TEST_F(UploadTest, ToAVolumeThatIsGoneSaysSo) {
    const auto volume = made("a", kMiB);
    ASSERT_EQ(remove(fuse("a").c_str()), 0);
    EXPECT_TRUE(refused(begin_upload(volume), VIR_ERR_NO_STORAGE_VOL, "refresh"));
}

TEST_F(UploadTest, SeveralRunBesideEachOtherAndThePoolAnswers) {
    constexpr int kStreams = 4;
    const std::string bytes = noise(kMiB);
    std::vector<Stream> streams;
    std::vector<Client> clients;
    for (int i = 0; i < kStreams; ++i) {
        const std::string name = "v" + std::to_string(i);
        made(name, 8 * kMiB);
        clients.emplace_back(lab().path("LIBVIRT_URI"));
        auto stream = begin_upload(*clients.back().pool(pool_name())->volume(name));
        ASSERT_TRUE(done(stream));
        streams.push_back(*stream);
    }
    for (int megabyte = 0; megabyte < 8; ++megabyte) {
        for (const auto& stream : streams) ASSERT_TRUE(done(stream.send(bytes)));
        EXPECT_EQ(pool().volume_names().size(), static_cast<std::size_t>(kStreams));
        EXPECT_TRUE(done(pool().info()));
    }
    ASSERT_TRUE(done(pool().create(raw("beside"))));
    EXPECT_TRUE(done(pool().volume("beside")->erase()));
    for (const auto& stream : streams) ASSERT_TRUE(done(stream.finish()));
    std::string wanted;
    for (int megabyte = 0; megabyte < 8; ++megabyte) wanted += bytes;
    for (int i = 0; i < kStreams; ++i)
        EXPECT_TRUE(same_bytes(read_file("v" + std::to_string(i)), wanted)) << i;
}

}  // namespace sfg::test
