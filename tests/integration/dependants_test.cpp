// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A volume that others have as their base is neither deleted nor overwritten, however they name it.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

class DependantsTest : public PoolTest {
  protected:
    void SetUp() override {
        PoolTest::SetUp();
        ASSERT_TRUE(done(pool().create(qcow2("image_cache/base", 64 * kMiB))));
        before_ = read_file("image_cache/base");
    }

    Volume base() { return *pool().volume("image_cache/base"); }

    // An overlay made by qemu-img that records this name, whether it can be opened or not.
    void make_overlay(const std::string& name, const std::string& recorded) {
        fs::create_directories(fs::path(fuse(name)).parent_path());
        const Ran made = shell("qemu-img create -q -f qcow2 -u -F qcow2 -b " + quoted(recorded) +
                               " " + quoted(fuse(name)) + " 64M");
        ASSERT_TRUE(made.ok()) << made.output;
    }

    // Delete, wipe and upload say who needs it, and change nothing.
    void expect_needed_by(const std::string& who) {
        SCOPED_TRACE(who);
        EXPECT_TRUE(refused(base().erase(), VIR_ERR_RESOURCE_BUSY, who)) << "delete";
        EXPECT_TRUE(refused(wipe(base()), VIR_ERR_RESOURCE_BUSY, who)) << "wipe";
        EXPECT_TRUE(refused(upload(base(), "x"), VIR_ERR_RESOURCE_BUSY, who)) << "upload";
        EXPECT_TRUE(same_bytes(read_file("image_cache/base"), before_));
    }

    // Needed while that file is there, and not any longer. No refresh comes in between: what counts
    // is what gluster has.
    void expect_needed_only_by(const std::string& name) {
        expect_needed_by("'" + name + "'");
        fs::remove(fuse(name));
        EXPECT_TRUE(done(wipe(base())));
        EXPECT_TRUE(done(base().erase()));
    }

  private:
    std::string before_;
};

}  // namespace

TEST_F(DependantsTest, ByARelativeName) {
    ASSERT_TRUE(done(pool().create(overlay("instances/u/vda", "image_cache/base"))));
    expect_needed_by("'instances/u/vda'");
    ASSERT_TRUE(done(pool().volume("instances/u/vda")->erase()));
    EXPECT_TRUE(done(upload(base(), "x")));
    EXPECT_TRUE(done(base().erase()));
}

TEST_F(DependantsTest, ByARelativeNameThatGoesAround) {
    make_overlay("instances/u/vda", "../..//instances/./../image_cache/base");
    expect_needed_only_by("instances/u/vda");
}

TEST_F(DependantsTest, ByAGlusterUri) {
    make_overlay("instances/u/vda", uri("image_cache/base"));
    expect_needed_only_by("instances/u/vda");
}

// Another name of the same host, perhaps.
TEST_F(DependantsTest, ByAGlusterUriWithAnotherHost) {
    make_overlay("vda", "gluster+tcp://elsewhere.invalid:24007/" + lab().volume() +
                            directory_in_volume() + "/image_cache/base");
    expect_needed_only_by("vda");
}

TEST_F(DependantsTest, ByThePathOfAFuseMount) {
    make_overlay("vda", fuse("image_cache/base"));
    expect_needed_only_by("vda");
}

TEST_F(DependantsTest, ByALinkOfThisHostToAFuseMount) {
    const std::string link = lab().scratch() + "/link-to-the-mount";
    fs::remove(link);
    fs::create_symlink(fuse(), link);
    make_overlay("vda", link + "/image_cache/base");
    expect_needed_only_by("vda");
}

TEST_F(DependantsTest, ByAnImageOfAKindNotKnownHere) {
    make_overlay("vda", "image_cache/base");
    // An incompatible feature that is yet to come (bit 40 of the field at 72).
    ASSERT_TRUE(
        shell("printf '\\001' | dd status=none conv=notrunc bs=1 seek=74 of=" + quoted(fuse("vda")))
            .ok());
    ASSERT_TRUE(done(pool().refresh()));
    expect_needed_only_by("vda");
}

// As a host had it that has mounted the volume where this one has nothing.
TEST_F(DependantsTest, ByThePathOfAnotherHostsFuseMount) {
    make_overlay("vda", "/srv/shakenfist/elsewhere" + directory_in_volume() + "/image_cache/base");
    expect_needed_only_by("vda");
}

TEST_F(DependantsTest, ByAHardLink) {
    fs::create_hard_link(fuse("image_cache/base"), fuse("image_cache/linked"));
    make_overlay("vda", "image_cache/linked");
    expect_needed_by("'vda'");
    fs::remove(fuse("vda"));
    EXPECT_TRUE(done(base().erase()));
}

TEST_F(DependantsTest, ByASymbolicLink) {
    fs::create_symlink("image_cache/base", fuse("link"));
    make_overlay("vda", "link");
    expect_needed_only_by("vda");
}

TEST_F(DependantsTest, ByAJsonName) {
    make_overlay("vda",
                 "json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"gluster\",\"volume\":\"" +
                     lab().volume() + "\",\"path\":\"" + directory_in_volume().substr(1) +
                     "/image_cache/base\",\"server\":[{\"type\":\"inet\",\"host\":\"" +
                     lab().gluster_host() + "\",\"port\":\"24007\"}]}}");
    expect_needed_only_by("vda");
}

TEST_F(DependantsTest, InAPoolOverAnotherDirectory) {
    PoolSpec beside = spec();
    beside.name += "-beside";
    beside.directory += "-beside";
    const std::string place = lab().mount_of(lab().volume()) + beside.directory;
    fs::remove_all(place);
    fs::create_directories(place);
    auto other = start(beside);
    ASSERT_TRUE(done(other));
    ASSERT_TRUE(done(other->create(overlay("vda", uri("image_cache/base")))));
    expect_needed_by("'vda' of pool '" + beside.name + "'");
    ASSERT_TRUE(done(other->volume("vda")->erase()));
    EXPECT_TRUE(done(base().erase()));
    fs::remove_all(place);
}

TEST_F(DependantsTest, InAnotherGlusterVolume) {
    PoolSpec other = spec();
    other.name += "-elsewhere";
    other.volume = lab().extra_volume("it-elsewhere", {});
    other.directory = "/";
    const std::string place = lab().mount_of(other.volume);
    fs::remove_all(place + "/i");
    auto elsewhere = start(other);
    ASSERT_TRUE(done(elsewhere));
    ASSERT_TRUE(done(elsewhere->create(overlay("i/vda", uri("image_cache/base")))));
    const std::string second = "qemu-img create -q -f qcow2 -u -F qcow2 -b " +
                               quoted(fuse("image_cache/base")) + " " + quoted(place + "/i/vdb") +
                               " 64M";
    ASSERT_TRUE(shell(second).ok());
    ASSERT_TRUE(done(elsewhere->refresh()));
    expect_needed_by("of pool '" + other.name + "'");
    // Made by the pool, which has seen it since.
    fs::remove(place + "/i/vdb");
    expect_needed_by("'i/vda' of pool '" + other.name + "'");
    // It has another name, and another base: neither has been listed.
    fs::rename(place + "/i/vda", place + "/i/vdc");
    expect_needed_by("'i/vda' of pool '" + other.name + "', as it was last listed");
    fs::rename(place + "/i/vdc", place + "/i/vda");
    // In an outage libvirt stops the pool.
    ASSERT_TRUE(done(elsewhere->stop()));
    expect_needed_by("'i/vda' of pool '" + other.name + "'");
    ASSERT_TRUE(shell("qemu-img rebase -u -b other -F qcow2 " + quoted(place + "/i/vda")).ok());
    EXPECT_TRUE(done(base().erase()));
    fs::remove_all(place + "/i");
}

// Nothing in it can need anything.
TEST_F(DependantsTest, APoolWhoseDirectoryIsGoneIsNoHindrance) {
    PoolSpec gone = spec();
    gone.name += "-gone";
    gone.directory += "-gone";
    const std::string place = lab().mount_of(lab().volume()) + gone.directory;
    fs::create_directories(place);
    ASSERT_TRUE(done(start(gone)));
    fs::remove_all(place);
    EXPECT_TRUE(done(wipe(base())));
    EXPECT_TRUE(done(upload(base(), "x")));
    EXPECT_TRUE(done(base().erase()));
}

TEST_F(DependantsTest, MadeByAnotherHostSinceTheLastRefresh) {
    Pool other = pool_on(2);
    ASSERT_TRUE(done(other.create(overlay("vda", "image_cache/base"))));
    ASSERT_FALSE(pool().lists("vda"));
    expect_needed_by("'vda'");
    ASSERT_TRUE(done(other.volume("vda")->erase()));
    EXPECT_TRUE(done(base().erase()));
}

TEST_F(DependantsTest, ManyAreNamedAFewTimes) {
    for (int i = 0; i < 8; ++i)
        ASSERT_TRUE(done(pool().create(overlay("o" + std::to_string(i), "image_cache/base"))));
    expect_needed_by("3 more");
}

TEST_F(DependantsTest, ADependantOfADependantCountsForItsOwnBase) {
    ASSERT_TRUE(done(pool().create(overlay("middle", "image_cache/base"))));
    ASSERT_TRUE(done(pool().create(overlay("top", "middle"))));
    EXPECT_TRUE(refused(pool().volume("middle")->erase(), VIR_ERR_RESOURCE_BUSY, "'top'"));
    expect_needed_by("'middle'");
    // From the top down all go.
    EXPECT_TRUE(done(pool().volume("top")->erase()));
    EXPECT_TRUE(done(pool().volume("middle")->erase()));
    EXPECT_TRUE(done(base().erase()));
}

TEST_F(DependantsTest, AWipedOneNeedsItNoLonger) {
    ASSERT_TRUE(done(pool().create(overlay("vda", "image_cache/base"))));
    ASSERT_TRUE(done(wipe(*pool().volume("vda"))));
    EXPECT_TRUE(done(base().erase()));
}

TEST_F(DependantsTest, AnUploadedOneNeedsIt) {
    make_overlay("made", "base");
    const std::string image = read_file("made");
    fs::remove(fuse("made"));
    auto volume = pool().create(raw("image_cache/uploaded", 0));
    ASSERT_TRUE(done(volume));
    ASSERT_TRUE(done(upload(*volume, image)));
    expect_needed_by("'image_cache/uploaded'");
}

// Names that are like its own and lead elsewhere are no reason.
TEST_F(DependantsTest, ASimilarNameIsAnother) {
    make_overlay("a", "image_cache/base2");
    make_overlay("b", "gluster://" + lab().gluster_host() + "/another" + directory_in_volume() +
                          "/image_cache/base");
    make_overlay("c", "nbd://somewhere/image_cache/base");
    make_overlay("image_cache/d", "d/base");
    EXPECT_TRUE(done(wipe(base())));
    EXPECT_TRUE(done(base().erase()));
}

// A guest's header names what it likes; in a raw volume it counts for nothing.
TEST_F(DependantsTest, AGuestsHeaderKeepsNobodysBase) {
    ASSERT_TRUE(done(pool().create(raw("disk", kMiB))));
    const Ran written = shell("cd " + quoted(lab().scratch()) +
                              " && qemu-img create -q -f qcow2 -u -F qcow2 -b image_cache/base "
                              "guests 64M && dd if=guests "
                              "of=" +
                              quoted(fuse("disk")) + " conv=notrunc status=none && rm guests");
    ASSERT_TRUE(written.ok()) << written.output;
    EXPECT_TRUE(done(base().erase()));
}

TEST_F(DependantsTest, WhileAnOverlayIsMadeTheBaseStays) {
    // Whoever comes first, an overlay never stands there without its base.
    Client second(lab().path("LIBVIRT_URI"));
    const auto same = second.pool(pool_name());
    ASSERT_TRUE(done(same));
    int erased = 0;
    for (int round = 0; round < 40; ++round) {
        const std::string name = "b" + std::to_string(round);
        ASSERT_TRUE(done(pool().create(qcow2(name, 64 * kMiB))));
        auto victim = same->volume(name);
        ASSERT_TRUE(done(victim));
        Refusal refusal;
        std::thread eraser([&] {
            std::this_thread::sleep_for(std::chrono::microseconds(round * 400));
            refusal = victim->erase();
        });
        const auto made = pool().create(overlay("o" + std::to_string(round), name));
        eraser.join();
        if (refusal.code == VIR_ERR_OK) {
            ++erased;
            EXPECT_FALSE(made) << round;
        } else {
            EXPECT_TRUE(done(made)) << round << ": " << refusal.message;
        }
        EXPECT_EQ(exists(name), exists("o" + std::to_string(round))) << round;
    }
    EXPECT_GT(erased, 0);
    EXPECT_LT(erased, 40);
}

}  // namespace sfg::test
