// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Who works with a volume keeps others off it: in this libvirtd, in that of another host, and
// guests that have it open over FUSE.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "tests/support/open_image.hpp"
#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

using std::chrono::seconds;

// Something that is done to a volume of that name.
struct Attempt {
    std::string what;
    std::function<Refusal(const Pool&, const std::string&)> run;
};

Refusal on_volume(const Pool& pool, const std::string& name,
                  const std::function<Refusal(const Volume&)>& call) {
    const auto volume = pool.volume(name);
    return volume ? call(*volume) : volume.refusal;
}

std::vector<Attempt> changes() {
    const auto on = [](std::string what, std::function<Refusal(const Volume&)> call) {
        return Attempt{std::move(what), [call](const Pool& pool, const std::string& name) {
                           return on_volume(pool, name, call);
                       }};
    };
    return {on("upload", [](const Volume& v) { return upload(v, "uploaded"); }),
            on("wipe", [](const Volume& v) { return wipe(v); }),
            on("resize", [](const Volume& v) { return resize(v, 64 * kMiB); }),
            on("delete", [](const Volume& v) { return v.erase(); })};
}

// What reads a volume; what these make is removed again.
std::vector<Attempt> uses() {
    const auto removed = [](const Answer<Volume>& made) {
        return made ? made->erase() : made.refusal;
    };
    return {{"download",
             [](const Pool& pool, const std::string& name) {
                 return on_volume(pool, name, [](const Volume& v) { return download(v).refusal; });
             }},
            {"clone",
             [=](const Pool& pool, const std::string& name) {
                 return on_volume(pool, name, [&](const Volume& v) {
                     return removed(pool.clone(raw("a-clone", 32 * kMiB), v));
                 });
             }},
            {"overlay", [=](const Pool& pool, const std::string& name) {
                 return removed(pool.create(overlay("an-overlay", name, "raw")));
             }}};
}

class BusyTest : public PoolTest {
  protected:
    static constexpr int kOther = 2;
    static constexpr std::uint64_t kSize = 8 * kMiB;

    void SetUp() override {
        PoolTest::SetUp();
        write_file("a", noise(kSize));
        ASSERT_TRUE(done(pool().refresh()));
    }

    Volume volume() { return *pool().volume("a"); }

    // Each is refused, saying `why`.
    void expect_refused(const Pool& on, const std::vector<Attempt>& attempts,
                        const std::string& why) {
        for (const auto& attempt : attempts)
            EXPECT_TRUE(is_refusal(attempt.run(on, "a"), VIR_ERR_RESOURCE_BUSY, why))
                << attempt.what;
    }
    void expect_done(const Pool& on, const std::vector<Attempt>& attempts) {
        for (const auto& attempt : attempts)
            EXPECT_TRUE(done(attempt.run(on, "a"))) << attempt.what;
    }
    // The last one deletes the volume.
    void expect_free(const Pool& on) {
        expect_done(on, uses());
        expect_done(on, changes());
        EXPECT_FALSE(exists("a"));
    }

    // The lab's volume as that host sees it.
    std::string fuse_on(int host) {
        if (host == 1) return fuse("a");
        const std::string where = "/srv/busy";
        if (!lab().on_host(host, "mountpoint -q " + where).ok()) {
            const Ran mounted = lab().call("mount", {"--host", std::to_string(host), where});
            EXPECT_TRUE(mounted.ok()) << mounted.output;
        }
        return where + directory_in_volume() + "/a";
    }
};

class BusyWithAGuestTest : public BusyTest, public testing::WithParamInterface<int> {};

}  // namespace

TEST_F(BusyTest, AnUploadIsAlone) {
    const auto stream = begin_upload(volume());
    ASSERT_TRUE(done(stream));
    ASSERT_TRUE(done(stream->send(noise(kMiB))));
    expect_refused(pool(), changes(), "it is being uploaded to");
    expect_refused(pool(), uses(), "it is being uploaded to");
    ASSERT_TRUE(done(stream->send(noise(kMiB))));
    ASSERT_TRUE(done(stream->finish()));
    expect_free(pool());
}

TEST_F(BusyTest, ADownloadLeavesReadersAlone) {
    const auto stream = begin_download(volume());
    ASSERT_TRUE(done(stream));
    const auto second = begin_download(volume());
    ASSERT_TRUE(done(second));
    expect_refused(pool(), changes(), "it is being downloaded");
    expect_done(pool(), uses());
    // And so does what is left when one of two is over.
    ASSERT_TRUE(done(second->abort()));
    expect_refused(pool(), changes(), "it is being downloaded");
    std::size_t got = 0;
    for (auto some = stream->receive(kMiB); !some->empty(); some = stream->receive(kMiB))
        got += some->size();
    EXPECT_EQ(got, kSize);
    ASSERT_TRUE(done(stream->finish()));
    expect_free(pool());
}

TEST_F(BusyTest, AnUploadOnAnotherHostIsAloneToo) {
    Pool other = pool_on(kOther);
    const auto stream = begin_upload(*other.volume("a"));
    ASSERT_TRUE(done(stream));
    ASSERT_TRUE(done(stream->send(noise(kMiB))));
    expect_refused(pool(), changes(), "on this or another host");
    expect_refused(pool(), uses(), "on this or another host");
    ASSERT_TRUE(done(stream->finish()));
    expect_free(pool());
}

TEST_F(BusyTest, ADownloadOnAnotherHostLeavesReadersAlone) {
    Pool other = pool_on(kOther);
    const auto stream = begin_download(*other.volume("a"));
    ASSERT_TRUE(done(stream));
    expect_refused(pool(), changes(), "on this or another host");
    expect_done(pool(), uses());
    ASSERT_TRUE(done(stream->abort()));
    EXPECT_TRUE(comes_true([&] { return wipe(volume()).code == VIR_ERR_OK; }, seconds(3)));
    expect_free(pool());
}

TEST_F(BusyTest, ThroughAnotherPoolItIsTheSameVolume) {
    PoolSpec above = spec();
    above.name += "-above";
    above.directory = "/it";
    auto outer = start(above);
    ASSERT_TRUE(done(outer));
    const std::string name = directory_in_volume().substr(4) + "/a";
    const auto stream = begin_upload(volume());
    ASSERT_TRUE(done(stream));
    for (const auto& attempt : changes())
        EXPECT_TRUE(is_refusal(attempt.run(*outer, name), VIR_ERR_RESOURCE_BUSY, "uploaded to"))
            << attempt.what;
    ASSERT_TRUE(done(stream->finish()));
}

TEST_F(BusyTest, UnderAnotherNameItIsTheSameFile) {
    const Ran linked = shell("ln " + quoted(fuse("a")) + " " + quoted(fuse("b")));
    ASSERT_TRUE(linked.ok()) << linked.output;
    ASSERT_TRUE(done(pool().refresh()));
    const auto stream = begin_upload(volume());
    ASSERT_TRUE(done(stream));
    EXPECT_TRUE(refused(wipe(*pool().volume("b")), VIR_ERR_RESOURCE_BUSY, "uploaded to"));
    ASSERT_TRUE(done(stream->finish()));
    EXPECT_TRUE(done(wipe(*pool().volume("b"))));
}

// While wipeVol runs libvirt itself knows, and says so before the driver is asked.
TEST_F(BusyTest, AWipeIsAlone) {
    write_file("a", noise(96 * kMiB));
    ASSERT_TRUE(done(pool().refresh()));
    std::atomic<bool> over{false};
    Refusal wiped;
    std::thread wiper([&, uri_of_host = lab().path("LIBVIRT_URI")] {
        const Client own(uri_of_host);
        const auto same = own.pool(pool_name());
        wiped = same ? wipe(*same->volume("a"), VIR_STORAGE_VOL_WIPE_ALG_RANDOM) : same.refusal;
        over = true;
    });
    Pool other = pool_on(kOther);
    int here = 0;
    int there = 0;
    while (!over && (here == 0 || there == 0)) {
        if (const auto stream = begin_upload(volume()); !stream) {
            EXPECT_TRUE(stream.refusal.code == VIR_ERR_RESOURCE_BUSY ||
                        stream.refusal.code == VIR_ERR_OPERATION_INVALID)
                << stream.refusal.code << " " << stream.refusal.message;
            ++here;
        } else {
            stream->abort();
        }
        if (const auto stream = begin_download(*other.volume("a")); !stream) {
            EXPECT_TRUE(refused(stream, VIR_ERR_RESOURCE_BUSY, "host"));
            ++there;
        } else {
            stream->abort();
        }
    }
    wiper.join();
    // An attempt of ours may have been the first.
    EXPECT_TRUE(wiped.code == VIR_ERR_OK || wiped.code == VIR_ERR_RESOURCE_BUSY) << wiped.message;
    if (wiped.code == VIR_ERR_OK) {
        EXPECT_GT(here, 0);
        EXPECT_GT(there, 0);
    }
}

TEST_P(BusyWithAGuestTest, ItIsNotChangedUnderTheGuest) {
    OpenImage guest(GetParam(), fuse_on(GetParam()));
    ASSERT_TRUE(guest.is_open()) << guest.said();
    ASSERT_TRUE(guest.command("write -P 0x61 0 64k")) << guest.said();
    expect_refused(pool(), changes(), "a guest");
    ASSERT_TRUE(guest.command("write -P 0x62 64k 64k")) << guest.said();
    guest.close();
    EXPECT_TRUE(same_bytes(read_file("a").substr(0, 128 * kKiB),
                           std::string(64 * kKiB, 'a') + std::string(64 * kKiB, 'b')));
    expect_free(pool());
}

TEST_P(BusyWithAGuestTest, NorUnderOneThatOnlyReads) {
    OpenImage guest(GetParam(), fuse_on(GetParam()), "raw", OpenImage::Access::read_only);
    ASSERT_TRUE(guest.is_open()) << guest.said();
    expect_refused(pool(), changes(), "a guest");
    // It may be read by as many as like to.
    expect_done(pool(), uses());
    guest.close();
    expect_free(pool());
}

// A raw disk may be copied under its guest, an image whose tables change may not.
TEST_P(BusyWithAGuestTest, AnImageIsNotCopiedWhileItIsWritten) {
    ASSERT_TRUE(done(pool().volume("a")->erase()));
    ASSERT_TRUE(done(pool().create(qcow2("a", 64 * kMiB))));
    const auto clone = [&](const std::string& name) {
        return pool().clone(qcow2(name, 64 * kMiB), volume());
    };
    {
        OpenImage guest(GetParam(), fuse_on(GetParam()), "qcow2");
        ASSERT_TRUE(guest.is_open()) << guest.said();
        EXPECT_TRUE(refused(clone("b"), VIR_ERR_RESOURCE_BUSY, "a guest"));
        EXPECT_FALSE(exists("b"));
    }
    {
        OpenImage guest(GetParam(), fuse_on(GetParam()), "qcow2", OpenImage::Access::read_only);
        ASSERT_TRUE(guest.is_open()) << guest.said();
        EXPECT_TRUE(done(clone("c")));
    }
    EXPECT_TRUE(done(clone("d")));
}

TEST_P(BusyWithAGuestTest, AndAGuestDoesNotStartOnWhatIsUploaded) {
    const std::string path = fuse_on(GetParam());
    const auto stream = begin_upload(volume());
    ASSERT_TRUE(done(stream));
    OpenImage guest(GetParam(), path);
    EXPECT_FALSE(guest.is_open());
    ASSERT_TRUE(done(stream->finish()));
    OpenImage later(GetParam(), path);
    EXPECT_TRUE(later.is_open()) << later.said();
}

INSTANTIATE_TEST_SUITE_P(OnHost, BusyWithAGuestTest, testing::Values(1, 2));

}  // namespace sfg::test
