// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A brick that goes, or goes and comes back, while a volume's dependants are looked for.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include "tests/support/distributed_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The search goes through many directories and takes many seconds. All that needs the base
// is one overlay, on the brick that goes.
class BrickInAWalkTest : public DistributedPoolTest {
  protected:
    // On two bricks a walk takes about a tenth of a second for each.
    explicit BrickInAWalkTest(VolumeKind on = two_bricks(), int directories = 150)
        : DistributedPoolTest(on), directories_(directories) {}
    static constexpr int kKilobits = 1000;

    void SetUp() override {
        DistributedPoolTest::SetUp();
        base_ = name_on(kind().bricks, "base");
        ASSERT_TRUE(done(pool().create(qcow2(base_, kTakenFrom))));
        for (int i = 0; i < directories_; ++i) write_file("d" + std::to_string(i) + "/a", "a");
    }

    // In the directory that is so far down, in thousandths, in the order in which gluster lists
    // them: the walk takes them in that order, or in the other.
    void make_the_overlay(int thousandths) {
        std::vector<std::string> directories;
        for (const auto& entry : fs::directory_iterator(fuse()))
            if (entry.is_directory()) directories.push_back(entry.path().filename());
        const auto index = directories.size() * static_cast<std::size_t>(thousandths) / 1000;
        overlay_ = name_on(1, directories.at(std::min(index, directories.size() - 1)) + "/ov");
        make_overlay(overlay_, "../" + base_);
        ASSERT_TRUE(done(pool().refresh()));
    }
    // One that no refresh has seen.
    void make_the_overlay_unseen(int thousandths) {
        make_the_overlay(thousandths);
        const std::string once = overlay_;
        overlay_ = name_on(1, fs::path(once).parent_path().string() + "/new");
        make_overlay(overlay_, "../" + base_);
        fs::remove(fuse(once));
    }

    // Deletes the base in the background; says what became of it, and how long it took.
    void begin_delete() {
        begin({"delete", [](const Volume& volume) { return volume.erase(); }});
    }
    // Or takes from it in another way.
    void begin(const Taking& taking) {
        before_ = read_file(base_);
        began_ = steady_clock::now();
        taking_ = std::async(std::launch::async, [volume = *pool().volume(base_),
                                                  from = taking.from] { return from(volume); });
    }
    Refusal end() {
        Refusal refusal = taking_.get();
        took_ = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began_);
        return refusal;
    }
    void wait_until(milliseconds since_begin) {
        std::this_thread::sleep_until(began_ + since_begin);
    }

    // By whatever refusal.
    void expect_base_is_kept(const Refusal& refusal) {
        EXPECT_NE(refusal.code, VIR_ERR_OK) << "after " << took_.count() << " ms";
        EXPECT_EQ(refusal.message.find('\n'), std::string::npos) << refusal.message;
        as_fast_as_ever();
        EXPECT_TRUE(exists(base_));
        EXPECT_TRUE(same_bytes(read_file(base_), before_));
        RecordProperty("refusal", refusal.message);
        RecordProperty("milliseconds", static_cast<int>(took_.count()));
    }

    const milliseconds& took() const { return took_; }
    const std::string& base_name() const { return base_; }

  private:
    const int directories_;
    std::string base_;
    std::string overlay_;
    std::future<Refusal> taking_;
    std::string before_;
    steady_clock::time_point began_;
    milliseconds took_{0};
};

// Thousandths: where the overlay is.
class BrickInAWalkPlacesTest : public BrickInAWalkTest, public testing::WithParamInterface<int> {};

class BrickInAWalkTakingTest : public BrickInAWalkTest,
                               public testing::WithParamInterface<Taking> {};

std::vector<Taking> takings_but_delete() {
    auto all = takings();
    all.pop_back();
    if (!every_case()) all.resize(1);
    return all;
}

// The brick is away while that part is looked at.
class BrickBackInAWalkTest : public BrickInAWalkTest, public testing::WithParamInterface<int> {};

class PairInAWalkTest : public BrickInAWalkTest, public testing::WithParamInterface<int> {
  protected:
    PairInAWalkTest() : BrickInAWalkTest(two_pairs(), 60) {}
};

}  // namespace

TEST_P(BrickInAWalkPlacesTest, KilledInTheMiddleTheBaseIsKept) {
    ASSERT_NO_FATAL_FAILURE(make_the_overlay(GetParam()));
    slow_down(kKilobits);
    begin_delete();
    wait_until(milliseconds(1000));
    kill_brick(1);
    expect_base_is_kept(end());
}

TEST_P(BrickInAWalkPlacesTest, KilledInTheMiddleTheBaseOfANewOverlayIsKept) {
    ASSERT_NO_FATAL_FAILURE(make_the_overlay_unseen(GetParam()));
    slow_down(kKilobits);
    begin_delete();
    wait_until(milliseconds(1000));
    kill_brick(1);
    expect_base_is_kept(end());
}

TEST_P(BrickInAWalkTakingTest, KilledInTheMiddleNothingIsTakenFromTheBase) {
    ASSERT_NO_FATAL_FAILURE(make_the_overlay_unseen(500));
    slow_down(kKilobits);
    begin(GetParam());
    wait_until(milliseconds(1000));
    kill_brick(1);
    expect_base_is_kept(end());
}

INSTANTIATE_TEST_SUITE_P(Takings, BrickInAWalkTakingTest, testing::ValuesIn(takings_but_delete()),
                         [](const auto& with) { return with.param.name; });

TEST_P(BrickBackInAWalkTest, KilledAndBackWithinItTheBaseIsKept) {
    ASSERT_NO_FATAL_FAILURE(make_the_overlay_unseen(GetParam()));
    slow_down(kKilobits);
    begin_delete();
    wait_until(milliseconds(1000));
    kill_brick(1);
    wait_until(milliseconds(3000));
    begin_start_brick(1);
    expect_base_is_kept(end());
}

INSTANTIATE_TEST_SUITE_P(Places, BrickInAWalkPlacesTest,
                         testing::ValuesIn(cases<int>({700}, {300})),
                         [](const auto& with) { return "at_" + std::to_string(with.param); });

INSTANTIATE_TEST_SUITE_P(Places, BrickBackInAWalkTest,
                         testing::ValuesIn(cases<int>({250, 350}, {300})),
                         [](const auto& with) { return "at_" + std::to_string(with.param); });

// Which of the two is read is gluster's choice.
TEST_P(PairInAWalkTest, OneKilledInTheMiddleTheBaseIsKept) {
    ASSERT_NO_FATAL_FAILURE(make_the_overlay_unseen(300));
    slow_down(kKilobits);
    begin_delete();
    wait_until(milliseconds(1000));
    kill_brick(GetParam());
    expect_base_is_kept(end());
}

TEST_P(PairInAWalkTest, OneKilledInTheMiddleOfALongDirectoryTheBaseIsKept) {
    // One that takes many readings.
    for (int i = 0; i < 200; ++i) write_file("long/f" + std::to_string(i), "");
    const std::string last = name_on(1, "long/ov");
    make_overlay(last, "../" + base_name());
    slow_down(kKilobits);
    begin_delete();
    wait_until(milliseconds(400));
    kill_brick(GetParam());
    expect_base_is_kept(end());
}

INSTANTIATE_TEST_SUITE_P(Bricks, PairInAWalkTest, testing::ValuesIn(cases<int>({1}, {2})),
                         [](const auto& with) { return "brick_" + std::to_string(with.param); });

TEST_F(BrickInAWalkTest, AllAnsweringTheBaseOfNobodyIsDeleted) {
    ASSERT_TRUE(done(pool().refresh()));
    slow_down(kKilobits);
    begin_delete();
    const Refusal refusal = end();
    EXPECT_TRUE(done(refusal));
    // What the other tests rely on.
    EXPECT_GT(took(), milliseconds(5000));
    as_fast_as_ever();
    EXPECT_FALSE(exists(base_name()));
}

}  // namespace sfg::test
