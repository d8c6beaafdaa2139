// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A path of this host that an image names is read, not looked at: whoever wrote the image could
// have root look anywhere.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "tests/support/distributed_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A mount on which every look waits for as long as its brick hangs, as that of a dead server.
class ForeignPathsTest : public DistributedPoolTest {
  protected:
    void SetUp() override {
        DistributedPoolTest::SetUp();
        lab().extra_volume("hanging", {});
        // It takes a few seconds to be back from the last test's hanging.
        ASSERT_TRUE(comes_true(
            [] {
                std::error_code failed;
                fs::create_directories(lab().mount_of("hanging") + "/there", failed);
                return !failed;
            },
            std::chrono::seconds(60)));
        const Ran paused = lab().call("brick", {"hanging", "1", "pause"});
        ASSERT_TRUE(paused.ok()) << paused.output;
        link_ = local("link");
        fs::create_symlink(lab().mount_of("hanging") + "/there", link_);
        ASSERT_TRUE(done(pool().create(qcow2("base", kTakenFrom))));
    }
    void TearDown() override {
        const Ran resumed = lab().call("brick", {"hanging", "1", "resume"});
        EXPECT_TRUE(resumed.ok()) << resumed.output;
        DistributedPoolTest::TearDown();
    }

    // All that can be done to a volume that is unrelated to it, at once.
    void expect_no_look_at(const std::string& recorded) {
        make_overlay_by_name_alone("instances/ov", recorded);
        for (const auto& taking : takings()) {
            const auto began = steady_clock::now();
            EXPECT_TRUE(done(taking.from(*pool().volume("base")))) << taking.name;
            EXPECT_LT(steady_clock::now() - began, milliseconds(5000)) << taking.name;
        }
        const auto began = steady_clock::now();
        EXPECT_TRUE(done(pool().refresh()));
        EXPECT_TRUE(pool().lists("instances/ov"));
        EXPECT_LT(steady_clock::now() - began, milliseconds(5000)) << "refresh";
    }

    // Not by qemu-img with the name itself, which may look there: with one of its length.
    void make_overlay_by_name_alone(const std::string& name, const std::string& recorded) {
        const std::string placeholder(recorded.size(), 'x');
        make_overlay(name, placeholder);
        std::string bytes = read_file(name);
        const auto at = bytes.find(placeholder);
        ASSERT_NE(at, std::string::npos);
        bytes.replace(at, recorded.size(), recorded);
        write_file(name, bytes);
    }

    const std::string& link() const { return link_; }

  private:
    std::string link_;
};

}  // namespace

TEST_F(ForeignPathsTest, BehindALinkToAMountThatHangsIsNotLookedAt) {
    expect_no_look_at(link() + "/image");
}

TEST_F(ForeignPathsTest, BehindALinkToAMountThatHangsWithItsProtocolIsNotLookedAt) {
    expect_no_look_at("file:" + link() + "/image");
}

TEST_F(ForeignPathsTest, BehindALinkInJsonToAMountThatHangsIsNotLookedAt) {
    expect_no_look_at(R"(json:{"driver":"qcow2","file":{"driver":"file","filename":")" + link() +
                      R"(/image"}})");
}

TEST_F(ForeignPathsTest, OnTheMountOfAnotherVolumeThatHangsIsNotLookedAt) {
    expect_no_look_at(lab().mount_of("hanging") + "/there/image");
}

// It might be the base, by its name: nobody looks, and the base stays.
TEST_F(ForeignPathsTest, BehindALinkThatEndsLikeTheBaseCounts) {
    make_overlay_by_name_alone("instances/ov", link() + directory_in_volume() + "/base");
    for (const auto& taking : takings()) {
        const auto began = steady_clock::now();
        const Refusal refusal = taking.from(*pool().volume("base"));
        EXPECT_NE(refusal.code, VIR_ERR_OK) << taking.name;
        EXPECT_NE(refusal.message.find("instances/ov"), std::string::npos) << refusal.message;
        EXPECT_LT(steady_clock::now() - began, milliseconds(5000)) << taking.name;
    }
    EXPECT_TRUE(exists("base"));
}

}  // namespace sfg::test
