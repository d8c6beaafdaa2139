// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Files that move while dependants are looked for: a rebalance, and renames.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/support/distributed_fixture.hpp"
#include "tests/support/image_checks.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using std::chrono::steady_clock;

VolumeKind that_grows() {
    return {"growing", "", 2, 1, true};
}

// The volume is the test's own, since it does not get smaller again.
class RebalanceTest : public DistributedPoolTest {
  protected:
    RebalanceTest() : DistributedPoolTest(that_grows()) {}

    void add_brick() {
        const fs::path first = brick_path(1);  // .../growing-1/brick
        const fs::path added =
            first.parent_path().parent_path() / (volume() + "-3") / first.filename();
        fs::create_directories(added.parent_path());
        const Ran grown = lab().gluster({"volume", "add-brick", volume(),
                                         lab().gluster_host() + ":" + added.string(), "force"});
        ASSERT_TRUE(grown.ok()) << grown.output;
    }
    bool is_balanced() {
        const Ran status = lab().gluster({"volume", "rebalance", volume(), "status"});
        return status.output.find("completed") != std::string::npos;
    }
};

class RenamesTest : public DistributedPoolTest {
  protected:
    void SetUp() override {
        DistributedPoolTest::SetUp();
        ASSERT_TRUE(done(pool().create(qcow2("base", kTakenFrom))));
        for (int i = 0; i < kDirectories; ++i) write_file(at(i) + "/a", "a");
        make_overlay(at(0) + "/ov", "../base");
        ASSERT_TRUE(done(pool().refresh()));
    }

    static std::string at(int directory) { return "d" + std::to_string(directory); }

    bool renamed(const std::string& from, const std::string& to) const {
        std::error_code failed;
        fs::rename(fuse(from), fuse(to), failed);
        return !failed;
    }

    // Deletes the base again and again while `rename_once` is called again and again.
    template <typename RenameOnce>
    void expect_base_is_kept_while(RenameOnce rename_once) {
        std::atomic<bool> stop{false};
        std::atomic<int> renames{0};
        std::thread renamer([&] {
            for (int round = 0; !stop; ++round) {
                renames += rename_once(round) ? 1 : 0;
            }
        });
        const auto end = steady_clock::now() + seconds(every_case() ? 15 : 8);
        int tries = 0;
        Refusal refusal{VIR_ERR_INTERNAL_ERROR, "not tried"};
        const Volume base = *pool().volume("base");
        while (refusal.code != VIR_ERR_OK && steady_clock::now() < end) {
            refusal = base.erase();
            ++tries;
        }
        stop = true;
        renamer.join();
        EXPECT_NE(refusal.code, VIR_ERR_OK)
            << "deleted at try " << tries << ", after " << renames << " renames";
        EXPECT_TRUE(exists("base"));
        EXPECT_GT(tries, 10);
        RecordProperty("tries", tries);
        EXPECT_GT(renames, 20);
    }

    static constexpr int kDirectories = 40;
};

}  // namespace

TEST_F(RebalanceTest, WhileFilesMoveToANewBrickTheirBaseIsKept) {
    const int overlays = every_case() ? 200 : 80;
    ASSERT_TRUE(done(pool().create(qcow2("base", kTakenFrom))));
    ASSERT_TRUE(in_image("qcow2", fuse("base"), "write -P 7 0 1M"));
    make_overlay("instances/ov0", "../base");
    for (int i = 1; i < overlays; ++i)
        fs::copy_file(fuse("instances/ov0"), fuse("instances/ov" + std::to_string(i)));
    ASSERT_TRUE(done(pool().refresh()));
    const std::string identity = gfid("base");
    ASSERT_NO_FATAL_FAILURE(add_brick());

    const Ran begun = lab().gluster({"volume", "rebalance", volume(), "start", "force"});
    ASSERT_TRUE(begun.ok()) << begun.output;
    const Volume base = *pool().volume("base");
    int tries = 0;
    bool balanced = false;
    const auto end = steady_clock::now() + seconds(120);
    while (!balanced && steady_clock::now() < end) {
        for (int i = 0; i < 20; ++i, ++tries) {
            const Refusal refusal = base.erase();
            ASSERT_NE(refusal.code, VIR_ERR_OK) << "at try " << tries;
        }
        balanced = is_balanced();
    }
    EXPECT_TRUE(balanced);
    RecordProperty("tries", tries);
    // All are there, and whole.
    ASSERT_TRUE(fs::exists(fuse("base")));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names().size(), static_cast<std::size_t>(overlays + 2));
    for (int i = 0; i < overlays; ++i) {
        const std::string name = fuse("instances/ov" + std::to_string(i));
        const Ran read = shell("qemu-io -r -c 'read -P 7 0 1M' " + quoted(name));
        ASSERT_TRUE(read.ok() && read.output.find("failed") == std::string::npos)
            << name << ": " << read.output;
    }
    EXPECT_TRUE(refused(base.erase(), VIR_ERR_RESOURCE_BUSY, "it is the base of"));
}

TEST_F(RenamesTest, OfAnOverlayInItsDirectoryKeepItsBase) {
    // One that takes many readings.
    for (int i = 0; i < (every_case() ? 500 : 200); ++i)
        write_file(at(0) + "/f" + std::to_string(i), "");
    ASSERT_TRUE(done(pool().refresh()));
    expect_base_is_kept_while([&](int round) {
        return renamed(at(0) + (round % 2 == 0 ? "/ov" : "/vo"),
                       at(0) + (round % 2 == 0 ? "/vo" : "/ov"));
    });
}

TEST_F(RenamesTest, OfAnOverlayThroughDirectoriesKeepItsBase) {
    int where = 0;
    unsigned random = 7;
    expect_base_is_kept_while([&](int) {
        random = random * 1103515245u + 12345u;
        const int next = static_cast<int>(random / 65536u % kDirectories);
        if (next == where) return false;
        if (renamed(at(where) + "/ov", at(next) + "/ov")) where = next;
        return true;
    });
}

TEST_F(RenamesTest, OfTheDirectoryOfAnOverlayKeepItsBase) {
    expect_base_is_kept_while([&](int round) {
        return renamed(round % 2 == 0 ? at(0) : "moved", round % 2 == 0 ? "moved" : at(0));
    });
}

}  // namespace sfg::test
