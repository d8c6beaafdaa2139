// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A file whose two copies contradict each other: it cannot be read until somebody chooses, and
// until then it hinders as little as is safe.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/distributed_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

class SplitBrainTest : public DistributedPoolTest {
  protected:
    SplitBrainTest() : DistributedPoolTest(one_pair()) {}

    void SetUp() override {
        DistributedPoolTest::SetUp();
        for (const std::string& one : kHealers) set(one, "off");
        ASSERT_TRUE(done(pool().create(qcow2("base", kTakenFrom))));
        ASSERT_TRUE(done(pool().create(qcow2("unrelated", kTakenFrom))));
        ASSERT_TRUE(done(pool().create(overlay("instances/broken", "base"))));
        ASSERT_TRUE(done(pool().refresh()));
    }

    void TearDown() override {
        for (const std::string& one : kHealers) lab().gluster({"volume", "reset", volume(), one});
        if (split_) {
            reconnected();
            const Ran chosen =
                lab().gluster({"volume", "heal", volume(), "split-brain", "source-brick",
                               brick_name(2), directory_in_volume() + "/instances/broken"});
            EXPECT_TRUE(chosen.ok()) << chosen.output;
            heal();
        }
        if (restarted_) reconnect(1);
        DistributedPoolTest::TearDown();
    }

    void set(const std::string& option, const std::string& value) {
        const Ran done = lab().gluster({"volume", "set", volume(), option, value});
        ASSERT_TRUE(done.ok()) << done.output;
    }

    // Each copy is written to while the other is away.
    void split() {
        split_ = true;
        for (const int away : {1, 2}) {
            kill_brick(away);
            const int fd = open(fuse("instances/broken").c_str(), O_WRONLY | O_CLOEXEC);
            ASSERT_GE(fd, 0);
            const std::string bytes = "only on the copy beside " + std::to_string(away);
            EXPECT_EQ(pwrite(fd, bytes.data(), bytes.size(), 200 * kKiB),
                      static_cast<ssize_t>(bytes.size()));
            EXPECT_EQ(fsync(fd), 0);
            close(fd);
            start_brick(away);
        }
        ASSERT_FALSE(shell("cat " + quoted(fuse("instances/broken")) + " > /dev/null").ok())
            << "it can be read";
    }

    void restart() {
        restarted_ = true;
        ASSERT_TRUE(lab().libvirtd(1, "restart").ok());
        reconnect(1);
        if (!pool().is_active()) {
            ASSERT_TRUE(done(pool().start()));
        }
    }

  private:
    const std::vector<std::string> kHealers{"cluster.self-heal-daemon", "cluster.data-self-heal",
                                            "cluster.metadata-self-heal",
                                            "cluster.entry-self-heal"};
    bool split_ = false;
    bool restarted_ = false;
};

}  // namespace

TEST_F(SplitBrainTest, AnImageThatWasReadBeforeHindersNoOther) {
    ASSERT_NO_FATAL_FAILURE(split());
    for (const auto& taking : takings())
        EXPECT_TRUE(done(taking.from(*pool().volume("unrelated")))) << taking.name;
    EXPECT_FALSE(exists("unrelated"));
}

TEST_F(SplitBrainTest, AnImageThatWasReadBeforeHindersNoOtherAfterARefresh) {
    ASSERT_NO_FATAL_FAILURE(split());
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(pool().lists("instances/broken"));
    for (const auto& taking : takings())
        EXPECT_TRUE(done(taking.from(*pool().volume("unrelated")))) << taking.name;
    EXPECT_FALSE(exists("unrelated"));
}

TEST_F(SplitBrainTest, AnOverlayKeepsItsBase) {
    ASSERT_NO_FATAL_FAILURE(split());
    for (const auto& taking : takings()) {
        const Refusal refusal = taking.from(*pool().volume("base"));
        EXPECT_NE(refusal.code, VIR_ERR_OK) << taking.name;
        EXPECT_NE(refusal.message.find("instances/broken"), std::string::npos) << refusal.message;
    }
    ASSERT_TRUE(done(pool().refresh()));
    for (const auto& taking : takings())
        EXPECT_NE(taking.from(*pool().volume("base")).code, VIR_ERR_OK) << taking.name;
    EXPECT_TRUE(exists("base"));
}

TEST_F(SplitBrainTest, AnImageThatWasNeverReadHindersAllAndIsNamedWithItsRemedy) {
    ASSERT_NO_FATAL_FAILURE(split());
    ASSERT_NO_FATAL_FAILURE(restart());
    for (const std::string& name : {std::string("unrelated"), std::string("base")})
        for (const auto& taking : takings()) {
            const Refusal refusal = taking.from(*pool().volume(name));
            EXPECT_NE(refusal.code, VIR_ERR_OK) << taking.name;
            EXPECT_NE(refusal.message.find("instances/broken"), std::string::npos)
                << refusal.message;
            EXPECT_NE(refusal.message.find("gluster volume heal"), std::string::npos)
                << refusal.message;
            EXPECT_EQ(refusal.message.find('\n'), std::string::npos) << refusal.message;
        }
    EXPECT_TRUE(exists("base"));
    EXPECT_TRUE(exists("unrelated"));
}

}  // namespace sfg::test
