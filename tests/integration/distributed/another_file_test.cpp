// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A volume is the file that was listed: nothing is done to, or made of, another that has the name
// by now.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <ostream>

#include "tests/support/distributed_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

struct Doing {
    std::string name;
    std::string format;
    std::function<Refusal(const Pool& pool, const Volume& volume)> done_to;
};

std::vector<Doing> doings() {
    auto shrunk = [](const Pool&, const Volume& volume) {
        return resize(volume, kTakenFrom / 2, VIR_STORAGE_VOL_RESIZE_SHRINK);
    };
    auto grown = [](const Pool&, const Volume& volume) { return resize(volume, 2 * kTakenFrom); };
    return {{"wipe", "raw", [](const Pool&, const Volume& volume) { return wipe(volume); }},
            {"upload", "raw",
             [](const Pool&, const Volume& volume) { return upload(volume, "theirs?"); }},
            {"grow_raw", "raw", grown},
            {"grow_qcow2", "qcow2", grown},
            {"shrink_raw", "raw", shrunk},
            {"shrink_qcow2", "qcow2", shrunk},
            {"delete", "raw", [](const Pool&, const Volume& volume) { return volume.erase(); }},
            {"clone", "raw",
             [](const Pool& pool, const Volume& volume) {
                 return pool.clone(raw("copy", kTakenFrom), volume).refusal;
             }},
            {"clone_of_qcow2", "qcow2",
             [](const Pool& pool, const Volume& volume) {
                 return pool.clone(qcow2("copy", kTakenFrom), volume).refusal;
             }},
            {"overlay", "qcow2", [](const Pool& pool, const Volume& volume) {
                 return pool.create(overlay("copy", volume.name(), "qcow2")).refusal;
             }}};
}

void PrintTo(const Doing& doing, std::ostream* out) {
    *out << doing.name;
}

class AnotherFileTest : public DistributedPoolTest, public testing::WithParamInterface<Doing> {
  protected:
    void SetUp() override {
        DistributedPoolTest::SetUp();
        ASSERT_TRUE(done(pool().create(made("a"))));
    }

    static VolumeSpec made(const std::string& name) {
        return GetParam().format == "raw" ? raw(name, kTakenFrom) : qcow2(name, kTakenFrom);
    }

    // Bytes that are not lost.
    void fill_theirs() {
        if (GetParam().format == "raw") {
            const Ran filled = shell("yes theirs | head -c 1M | dd status=none conv=notrunc of=" +
                                     quoted(fuse("a")));
            ASSERT_TRUE(filled.ok()) << filled.output;
        }
        theirs_ = read_file("a");
        identity_ = gfid("a");
    }
    void replaced_by_another_host() {
        Pool other = pool_on(2);
        ASSERT_TRUE(done(other.volume("a")->erase()));
        ASSERT_TRUE(done(other.create(made("a"))));
        ASSERT_NO_FATAL_FAILURE(fill_theirs());
    }
    void replaced_over_fuse() {
        const Ran replaced =
            shell("rm " + quoted(fuse("a")) + " && qemu-img create -q -f " + GetParam().format +
                  " " + quoted(fuse("a")) + " " + std::to_string(kTakenFrom));
        ASSERT_TRUE(replaced.ok()) << replaced.output;
        ASSERT_NO_FATAL_FAILURE(fill_theirs());
    }
    // As one who wants no moment without it.
    void replaced_by_a_rename() {
        const Ran made = shell("qemu-img create -q -f " + GetParam().format + " " +
                               quoted(fuse("b")) + " " + std::to_string(kTakenFrom));
        ASSERT_TRUE(made.ok()) << made.output;
        fs::rename(fuse("b"), fuse("a"));
        ASSERT_NO_FATAL_FAILURE(fill_theirs());
    }

    Refusal done_to_it() { return GetParam().done_to(pool(), *pool().volume("a")); }

    void expect_refused_until_a_refresh() {
        const Refusal refusal = done_to_it();
        EXPECT_NE(refusal.code, VIR_ERR_OK);
        EXPECT_NE(refusal.message.find("refresh the pool"), std::string::npos) << refusal.message;
        EXPECT_EQ(refusal.message.find('\n'), std::string::npos) << refusal.message;
        EXPECT_EQ(gfid("a"), identity_);
        EXPECT_TRUE(same_bytes(read_file("a"), theirs_));
        EXPECT_FALSE(exists("copy"));
        ASSERT_TRUE(done(pool().refresh()));
        EXPECT_TRUE(done(done_to_it()));
    }

  private:
    std::string theirs_;
    std::string identity_;
};

}  // namespace

TEST_P(AnotherFileTest, OfAnotherHostIsLeftAloneUntilARefresh) {
    ASSERT_NO_FATAL_FAILURE(replaced_by_another_host());
    expect_refused_until_a_refresh();
}

TEST_P(AnotherFileTest, MadeOverFuseIsLeftAloneUntilARefresh) {
    ASSERT_NO_FATAL_FAILURE(replaced_over_fuse());
    expect_refused_until_a_refresh();
}

TEST_P(AnotherFileTest, RenamedOverItIsLeftAloneUntilARefresh) {
    ASSERT_NO_FATAL_FAILURE(replaced_by_a_rename());
    expect_refused_until_a_refresh();
}

// To show its size is not to list it.
TEST_P(AnotherFileTest, ThatWasShownIsLeftAloneUntilARefresh) {
    ASSERT_NO_FATAL_FAILURE(replaced_by_another_host());
    static_cast<void>(pool().volume("a")->info());
    static_cast<void>(pool().volume("a")->xml());
    expect_refused_until_a_refresh();
}

// The other pool's refresh is no listing of this one's.
TEST_P(AnotherFileTest, ThatAnotherPoolHasListedIsLeftAloneUntilARefresh) {
    PoolSpec outer = spec();
    outer.name += "-outer";
    outer.directory = fs::path(outer.directory).parent_path();
    auto started = start(outer);
    ASSERT_TRUE(done(started));
    ASSERT_NO_FATAL_FAILURE(replaced_over_fuse());
    ASSERT_TRUE(done(started->refresh()));
    expect_refused_until_a_refresh();
}

INSTANTIATE_TEST_SUITE_P(Doings, AnotherFileTest, testing::ValuesIn(doings()),
                         [](const auto& with) { return with.param.name; });

}  // namespace sfg::test
