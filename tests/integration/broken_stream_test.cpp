// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Streams that do not come to a good end, and libvirtd meanwhile.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include "tests/support/companion.hpp"
#include "tests/support/data_map.hpp"
#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

class BrokenStreamTest : public PoolTest {
  protected:
    static constexpr std::uint64_t kSize = 32 * kMiB;

    void SetUp() override {
        PoolTest::SetUp();
        write_file("a", bytes_);
        ASSERT_TRUE(done(pool().refresh()));
        libvirtd_ = lab().path("LIBVIRTD_PID");
    }
    void TearDown() override {
        lab().node(1, "resume");
        EXPECT_EQ(lab().path("LIBVIRTD_PID"), libvirtd_);
        EXPECT_TRUE(comes_true([&] { return pool().refresh().code == VIR_ERR_OK; }, seconds(30)));
        PoolTest::TearDown();
    }

    Volume volume() { return *pool().volume("a"); }
    const std::string& bytes() const { return bytes_; }
    const std::string& libvirtd() const { return libvirtd_; }

    // Nobody holds the volume after a moment.
    void expect_free_soon() {
        EXPECT_TRUE(
            comes_true([&] { return upload(volume(), bytes_).code == VIR_ERR_OK; }, seconds(2)));
        EXPECT_TRUE(same_bytes(read_file("a"), bytes_));
    }

    // After a pause of the brick: libvirt may have stopped the pool.
    void resume_and_expect_free() {
        ASSERT_TRUE(lab().node(1, "resume").ok());
        ASSERT_TRUE(comes_true(
            [&] {
                return pool().is_active() ? pool().refresh().code == VIR_ERR_OK
                                          : pool().start().code == VIR_ERR_OK;
            },
            seconds(30)));
        expect_free_soon();
    }

    static double since(Clock::time_point start) {
        return std::chrono::duration<double>(Clock::now() - start).count();
    }

  private:
    const std::string bytes_ = noise(kSize);
    std::string libvirtd_;
};

// Somebody who asks a libvirtd something small over and over, on a connection of its own.
class Watch {
  public:
    explicit Watch(const std::string& uri) : client_(uri), thread_([this] { ask(); }) {}
    ~Watch() { end(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // How long the longest answer took, in seconds.
    double end() {
        over_ = true;
        if (thread_.joinable()) thread_.join();
        return longest_;
    }

  private:
    void ask() {
        while (!over_) {
            const auto start = Clock::now();
            unsigned long version = 0;
            if (virConnectGetLibVersion(client_.get(), &version) < 0) longest_ = 1e9;
            longest_ =
                std::max(longest_, std::chrono::duration<double>(Clock::now() - start).count());
            std::this_thread::sleep_for(milliseconds(20));
        }
    }

    Client client_;
    std::atomic<bool> over_{false};
    double longest_ = 0;
    std::thread thread_;
};

// Memory of a process, in bytes.
std::uint64_t memory(const std::string& pid, const std::string& what) {
    std::ifstream status("/proc/" + pid + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(what + ":")) return std::stoull(line.substr(what.size() + 1)) * kKiB;
    return 0;
}

void forget_peak(const std::string& pid) {
    std::ofstream("/proc/" + pid + "/clear_refs") << 5;
}

}  // namespace

TEST_F(BrokenStreamTest, AnAbortedUploadFreesTheVolume) {
    const auto stream = begin_upload(volume());
    ASSERT_TRUE(done(stream));
    ASSERT_TRUE(done(stream->send(noise(10 * kMiB, 2))));
    ASSERT_TRUE(done(stream->abort()));
    expect_free_soon();
}

TEST_F(BrokenStreamTest, AnAbortedDownloadFreesTheVolume) {
    const auto stream = begin_download(volume());
    ASSERT_TRUE(done(stream));
    ASSERT_TRUE(done(stream->receive(kMiB)));
    ASSERT_TRUE(done(stream->abort()));
    expect_free_soon();
}

TEST_F(BrokenStreamTest, AClosedConnectionFreesTheVolume) {
    {
        const Client own(lab().path("LIBVIRT_URI"));
        const auto stream = begin_upload(*own.pool(pool_name())->volume("a"));
        ASSERT_TRUE(done(stream));
        ASSERT_TRUE(done(stream->send(noise(kMiB))));
    }
    expect_free_soon();
}

TEST_F(BrokenStreamTest, AnUploaderThatDiesFreesTheVolume) {
    const std::string pipe = lab().scratch() + "/upload.pipe";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    Companion virsh({"virsh", "-q", "-c", lab().path("LIBVIRT_URI"), "vol-upload", "--pool",
                     pool_name(), "a", pipe},
                    "");
    const int end = open(pipe.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_GE(end, 0);
    const std::string some = noise(2 * kMiB);
    EXPECT_EQ(write(end, some.data(), some.size()), static_cast<ssize_t>(some.size()));
    ASSERT_TRUE(
        comes_true([&] { return wipe(volume()).code == VIR_ERR_RESOURCE_BUSY; }, seconds(5)));
    virsh.kill();
    close(end);
    fs::remove(pipe);
    expect_free_soon();
}

TEST_F(BrokenStreamTest, ADownloaderThatDiesFreesTheVolume) {
    const std::string pipe = lab().scratch() + "/download.pipe";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    Companion virsh({"virsh", "-q", "-c", lab().path("LIBVIRT_URI"), "vol-download", "--pool",
                     pool_name(), "a", pipe},
                    "");
    const int end = open(pipe.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_GE(end, 0);
    std::string some(kMiB, '\0');
    EXPECT_GT(read(end, some.data(), some.size()), 0);
    EXPECT_TRUE(refused(wipe(volume()), VIR_ERR_RESOURCE_BUSY, "downloaded"));
    virsh.kill();
    close(end);
    fs::remove(pipe);
    expect_free_soon();
}

TEST_F(BrokenStreamTest, ManyStreamsThatAreAbortedAtAnyMomentLeaveNothing) {
    const std::string descriptors = "/proc/" + libvirtd() + "/fd";
    const auto count = [&] {
        return std::distance(fs::directory_iterator(descriptors), fs::directory_iterator());
    };
    const auto before = count();
    for (std::size_t round = 0; round < 60; ++round) {
        const auto up = begin_upload(volume());
        ASSERT_TRUE(done(up)) << round;
        if (round % 3 != 0) {
            EXPECT_TRUE(done(up->send(noise(round * 50000))));
        }
        if (round % 2 == 0) {
            EXPECT_TRUE(done(up->abort()));
        } else {
            EXPECT_TRUE(done(up->finish()));
        }
        // The threads of an aborted one let go of the volume a moment later.
        std::optional<Stream> down;
        ASSERT_TRUE(comes_true(
            [&] {
                auto begun = begin_download(volume());
                if (begun) down = *begun;
                return bool(begun);
            },
            seconds(2)))
            << round;
        if (round % 3 == 0) {
            EXPECT_TRUE(done(down->receive(100000)));
        }
        EXPECT_TRUE(done(down->abort()));
        ASSERT_TRUE(comes_true(
            [&] { return wipe(volume(), VIR_STORAGE_VOL_WIPE_ALG_TRIM).code == VIR_ERR_OK; },
            seconds(2)))
            << round;
    }
    EXPECT_TRUE(comes_true([&] { return count() <= before + 2; }, seconds(5)))
        << before << " descriptors, then " << count();
}

// libvirtd asks again and again for as long as a stream's descriptor is readable, also after an
// error, and queues one message each time.
TEST_F(BrokenStreamTest, AFailedDownloadIsToldOnce) {
    write_file("b", noise(64 * kMiB));
    ASSERT_TRUE(done(pool().refresh()));
    const auto stream = begin_download(*pool().volume("b"));
    ASSERT_TRUE(done(stream));
    ASSERT_TRUE(done(stream->receive(4096)));
    fs::resize_file(fuse("b"), kMiB);
    Answer<std::string> some;
    do some = stream->receive(kMiB);
    while (some && !some->empty());
    EXPECT_TRUE(refused(some, VIR_ERR_OPERATION_FAILED, "shorter"));
    // The client has not given up its stream yet, and does other things first.
    const Client own(lab().path("LIBVIRT_URI"));
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(own.is_alive() && own.pool(pool_name()));
    const std::string said = lab().said_by_libvirtd(1);
    int lines = 0;
    for (auto at = said.find("cannot download volume 'b'"); at != std::string::npos;
         at = said.find("cannot download volume 'b'", at + 1))
        ++lines;
    EXPECT_GT(lines, 0);
    EXPECT_LT(lines, 5);
    stream->abort();
    expect_free_soon();
}

TEST_F(BrokenStreamTest, AFullBrickIsToldToWhoUploads) {
    const std::string small = lab().extra_volume("it-small", {"--brick-size", "64M"});
    const std::string mounted = lab().mount_of(small);
    shell("rm -rf " + mounted + "/*");
    PoolSpec over_it = spec();
    over_it.name += "-small";
    over_it.volume = small;
    over_it.directory = "/";
    auto full = start(over_it);
    ASSERT_TRUE(done(full));
    auto target = full->create(raw("target", 128 * kMiB));
    ASSERT_TRUE(done(target));
    const auto begun = Clock::now();
    EXPECT_TRUE(refused(upload(*target, noise(128 * kMiB)), VIR_ERR_SYSTEM_ERROR,
                        "No space left on device"));
    EXPECT_LT(since(begun), 60);
    // It can be emptied and used again.
    ASSERT_TRUE(
        comes_true([&] { return wipe(*target, VIR_STORAGE_VOL_WIPE_ALG_TRIM).code == VIR_ERR_OK; },
                   seconds(5)));
    const std::string fits = noise(8 * kMiB);
    EXPECT_TRUE(done(upload(*target, fits)));
    EXPECT_TRUE(same_bytes(*download(*target, {0, fits.size()}), fits));
    EXPECT_TRUE(done(target->erase()));
}

TEST_F(BrokenStreamTest, AFinishThatGlusterDoesNotAnswerDoesNotHoldUpLibvirtd) {
    const auto stream = begin_upload(volume());
    ASSERT_TRUE(done(stream));
    ASSERT_TRUE(done(stream->send(noise(4 * kMiB, 3))));
    ASSERT_TRUE(lab().node(1, "pause").ok());
    Watch watch(lab().path("LIBVIRT_URI"));
    const auto start = Clock::now();
    const Refusal finished = stream->finish();
    EXPECT_LT(since(start), 3);
    EXPECT_TRUE(is_refusal(finished, VIR_ERR_SYSTEM_ERROR, "not stored yet"));
    // Closing the stream has started a refresh of the pool, whose time is limited.
    virStoragePoolPtr* pools = nullptr;
    const auto listing = Clock::now();
    const int count = virConnectListAllStoragePools(client().get(), &pools, 0);
    EXPECT_GE(count, 1);
    EXPECT_LT(since(listing), 15);
    for (int i = 0; i < count; ++i) virStoragePoolFree(pools[i]);
    std::free(pools);
    EXPECT_LT(watch.end(), 1.5);
    resume_and_expect_free();
}

TEST_F(BrokenStreamTest, AnAbortThatGlusterDoesNotAnswerDoesNotHoldUpLibvirtd) {
    const auto stream = begin_upload(volume());
    ASSERT_TRUE(done(stream));
    ASSERT_TRUE(done(stream->send(noise(4 * kMiB, 3))));
    ASSERT_TRUE(lab().node(1, "pause").ok());
    Watch watch(lab().path("LIBVIRT_URI"));
    const auto start = Clock::now();
    EXPECT_TRUE(done(stream->abort()));
    EXPECT_LT(since(start), 1.5);
    EXPECT_LT(watch.end(), 1.5);
    resume_and_expect_free();
}

TEST_F(BrokenStreamTest, ADownloadWaitsForAPausedBrick) {
    // Data and holes: who asks for holes asks gluster more.
    ASSERT_TRUE(make_sparse(fuse("b"), 128 * kMiB, {{0, 64 * kMiB}, {96 * kMiB, 16 * kMiB}}));
    ASSERT_TRUE(done(pool().refresh()));
    const std::string wanted = read_file("b");
    for (const unsigned flags : {0u, unsigned{VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM}}) {
        const auto stream = begin_download(*pool().volume("b"), {}, flags);
        ASSERT_TRUE(done(stream));
        std::string got = *stream->receive(4096);
        ASSERT_TRUE(lab().node(1, "pause").ok());
        Watch watch(lab().path("LIBVIRT_URI"));
        std::atomic<std::size_t> moved{0};
        Refusal failed;
        std::thread reader([&] {
            while (true) {
                std::string buffer(kMiB, '\0');
                const int some = virStreamRecvFlags(stream->get(), buffer.data(), buffer.size(),
                                                    flags != 0 ? VIR_STREAM_RECV_STOP_AT_HOLE : 0);
                if (some == -3) {
                    long long hole = 0;
                    if (virStreamRecvHole(stream->get(), &hole, 0) < 0) {
                        failed = last_refusal();
                        return;
                    }
                    got.append(static_cast<std::size_t>(hole), '\0');
                } else if (some < 0) {
                    failed = last_refusal();
                    return;
                } else if (some == 0) {
                    return;
                } else {
                    got.append(buffer, 0, static_cast<std::size_t>(some));
                    moved += static_cast<std::size_t>(some);
                }
            }
        });
        // Until nothing comes any more, and then longer than any call may wait in the event loop.
        std::size_t before = 0;
        do {
            before = moved;
            std::this_thread::sleep_for(milliseconds(1500));
        } while (moved != before);
        ASSERT_TRUE(lab().node(1, "resume").ok());
        reader.join();
        EXPECT_LT(watch.end(), 1.5);
        EXPECT_TRUE(done(failed)) << flags;
        EXPECT_TRUE(done(stream->finish())) << flags;
        EXPECT_TRUE(same_bytes(got, wanted)) << flags;
    }
}

TEST_F(BrokenStreamTest, AnUploadWaitsForAPausedBrickAndTakesLittleMemory) {
    const std::string piece = noise(kMiB, 5);
    auto target = pool().create(raw("b", 0));
    ASSERT_TRUE(done(target));
    const auto stream = begin_upload(*target);
    ASSERT_TRUE(done(stream));
    ASSERT_TRUE(done(stream->send(piece)));
    forget_peak(libvirtd());
    const std::uint64_t before = memory(libvirtd(), "VmRSS");
    ASSERT_TRUE(lab().node(1, "pause").ok());
    constexpr int kPieces = 200;
    std::atomic<int> sent{1};
    Refusal failed;
    std::thread writer([&] {
        while (sent < kPieces && failed.code == VIR_ERR_OK) {
            failed = stream->send(piece);
            ++sent;
        }
    });
    int seen = 0;
    do {
        seen = sent;
        std::this_thread::sleep_for(milliseconds(1000));
    } while (sent != seen);
    EXPECT_LT(seen, kPieces);
    EXPECT_LT(memory(libvirtd(), "VmHWM"), before + 64 * kMiB);
    ASSERT_TRUE(lab().node(1, "resume").ok());
    writer.join();
    ASSERT_TRUE(done(failed));
    ASSERT_TRUE(done(stream->finish()));
    std::string wanted;
    for (int i = 0; i < kPieces; ++i) wanted += piece;
    EXPECT_TRUE(same_bytes(read_file("b"), wanted));
}

TEST_F(BrokenStreamTest, MemoryStaysBoundedWhateverTheSize) {
    constexpr std::uint64_t kLarge = 2 * kGiB;
    const std::string piece = noise(kMiB, 6);
    auto target = pool().create(raw("b", kLarge));
    ASSERT_TRUE(done(target));
    // gluster's client takes its own share at the first transfer.
    ASSERT_TRUE(done(upload(volume(), bytes())));
    ASSERT_TRUE(done(download(volume())));
    forget_peak(libvirtd());
    const std::uint64_t before = memory(libvirtd(), "VmRSS");

    // Every sixteenth megabyte is data.
    const auto up = begin_upload(*target, {}, VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM);
    ASSERT_TRUE(done(up));
    for (std::uint64_t at = 0; at < kLarge; at += 16 * kMiB) {
        ASSERT_TRUE(done(up->send(piece)));
        ASSERT_TRUE(done(up->send_hole(15 * kMiB)));
        std::this_thread::sleep_for(milliseconds(1));
    }
    ASSERT_TRUE(done(up->finish()));
    EXPECT_LT(memory(libvirtd(), "VmHWM"), before + 64 * kMiB) << "upload";
    EXPECT_EQ(data_map(fuse("b")).size(), kLarge / (16 * kMiB));

    // Who does not ask for holes gets all the bytes.
    const auto down = begin_download(*target);
    ASSERT_TRUE(done(down));
    std::uint64_t got = 0;
    for (auto some = down->receive(kMiB); !some->empty(); some = down->receive(kMiB)) {
        got += some->size();
        if (got % (64 * kMiB) == 0) std::this_thread::sleep_for(milliseconds(20));
    }
    EXPECT_EQ(got, kLarge);
    ASSERT_TRUE(done(down->finish()));
    EXPECT_LT(memory(libvirtd(), "VmHWM"), before + 64 * kMiB) << "download";
}

}  // namespace sfg::test
