// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Two pools over one tree: what fails in one because a name is taken leaves alone what has the
// name. libvirt calls deleteVol for a volume that could not be made.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <ostream>

#include "tests/support/distributed_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

constexpr char kName[] = "precious";
constexpr char kPath[] = "instances/precious";

class TakenNamesTest : public DistributedPoolTest {
  protected:
    void SetUp() override {
        DistributedPoolTest::SetUp();
        fs::create_directories(fuse("instances"));
        // Not by an upload: when that has ended libvirt refreshes the pool in a thread of its own,
        // at a time when the name may be taken, and refuses what it has listed before the driver
        // hears.
        write_file("instances/source", noise(kMiB, 2));
        auto inner = start(inner_spec());
        ASSERT_TRUE(done(inner));
        inner_ = *inner;
    }
    void TearDown() override {
        inner_.reset();
        DistributedPoolTest::TearDown();
    }

    PoolSpec inner_spec() const {
        PoolSpec inner = spec();
        inner.name += "-inner";
        inner.directory += "/instances";
        return inner;
    }
    // Over /instances of what `pool` is over.
    Pool& inner() { return *inner_; }
    Volume source() { return *inner().volume("source"); }

    void inner_anew() {
        auto found = client().pool(inner_spec().name);
        ASSERT_TRUE(done(found));
        inner_ = *found;
        if (!inner_->is_active()) {
            ASSERT_TRUE(done(inner_->start()));
        }
    }

    void make_precious_on(Pool& outer) {
        ASSERT_TRUE(done(outer.create(raw(kPath))));
        ASSERT_TRUE(done(upload(*outer.volume(kPath), bytes_)));
        note_identity();
    }
    void make_precious_over_fuse() {
        write_file(kPath, bytes_);
        note_identity();
    }
    void note_identity() { identity_ = gfid(kPath); }

    void expect_precious_is_there() {
        ASSERT_TRUE(exists(kPath));
        EXPECT_EQ(gfid(kPath), identity_);
        EXPECT_TRUE(same_bytes(read_file(kPath), bytes_));
    }

  private:
    std::optional<Pool> inner_;
    const std::string bytes_ = noise(kMiB, 7);
    std::string identity_;
};

// Ways to make a volume of that name, none of which can.
struct Making {
    std::string name;
    std::function<Refusal(Pool& inner, const Volume& source)> tried;
    bool is_told_why = true;  // not where it is refused for something else
};

std::vector<Making> makings() {
    return {
        {"create", [](Pool& inner, const Volume&) { return inner.create(raw(kName)).refusal; }},
        {"create_qcow2",
         [](Pool& inner, const Volume&) { return inner.create(qcow2(kName)).refusal; }},
        {"create_overlay",
         [](Pool& inner, const Volume&) {
             return inner.create(overlay(kName, "source", "raw")).refusal;
         }},
        {"create_with_reflink",
         [](Pool& inner, const Volume&) {
             return inner.create(raw(kName), VIR_STORAGE_VOL_CREATE_REFLINK).refusal;
         },
         false},
        {"clone",
         [](Pool& inner, const Volume& source) { return inner.clone(raw(kName), source).refusal; }},
        {"clone_to_qcow2",
         [](Pool& inner, const Volume& source) {
             return inner.clone(qcow2(kName, kMiB), source).refusal;
         }},
        {"clone_with_reflink",
         [](Pool& inner, const Volume& source) {
             return inner.clone(raw(kName), source, VIR_STORAGE_VOL_CREATE_REFLINK).refusal;
         },
         false},
        {"clone_of_what_is_not_there",
         [](Pool& inner, const Volume& source) {
             return inner.clone(overlay(kName, "nothing"), source).refusal;
         },
         false},
    };
}

void PrintTo(const Making& making, std::ostream* out) {
    *out << making.name;
}

class TakenByTest : public TakenNamesTest, public testing::WithParamInterface<Making> {
  protected:
    void expect_refused_and_spared() {
        const Refusal refusal = GetParam().tried(inner(), source());
        if (GetParam().is_told_why)
            EXPECT_TRUE(is_refusal(refusal, VIR_ERR_STORAGE_VOL_EXIST, "exists"));
        else
            EXPECT_NE(refusal.code, VIR_ERR_OK);
        expect_precious_is_there();
    }
};

}  // namespace

TEST_P(TakenByTest, AnotherPoolOfThisHost) {
    ASSERT_NO_FATAL_FAILURE(make_precious_on(pool()));
    expect_refused_and_spared();
}

TEST_P(TakenByTest, AnotherPoolOfThisHostTwiceInARow) {
    ASSERT_NO_FATAL_FAILURE(make_precious_on(pool()));
    expect_refused_and_spared();
    expect_refused_and_spared();
}

TEST_P(TakenByTest, APoolOfAnotherHost) {
    Pool other = pool_on(2);
    ASSERT_NO_FATAL_FAILURE(make_precious_on(other));
    expect_refused_and_spared();
    expect_refused_and_spared();
}

// And the other pool of this host has listed it since.
TEST_P(TakenByTest, APoolOfAnotherHostAndListedHere) {
    Pool other = pool_on(2);
    ASSERT_NO_FATAL_FAILURE(make_precious_on(other));
    ASSERT_TRUE(done(pool().refresh()));
    expect_refused_and_spared();
}

TEST_P(TakenByTest, SomebodyOnAMount) {
    make_precious_over_fuse();
    expect_refused_and_spared();
    expect_refused_and_spared();
}

// libvirt empties its list of the pool when an upload ends, and ignores that the refresh fails.
TEST_P(TakenByTest, AVolumeOfItsOwnThatAFailedRefreshHasUnlisted) {
    ASSERT_TRUE(done(inner().create(raw(kName))));
    const std::string bytes = noise(kMiB, 7);
    ASSERT_TRUE(done(upload(*inner().volume(kName), bytes)));
    note_identity();
    ASSERT_TRUE(done(pool().refresh()));
    auto stream = begin_upload(source());
    ASSERT_TRUE(done(stream));
    ASSERT_TRUE(done(stream->send(noise(kMiB, 2))));
    fs::rename(fuse("instances"), fuse("away"));
    stream->finish();
    // The refresh comes a moment later.
    comes_true([&] { return !inner().lists(kName); }, std::chrono::seconds(5));
    fs::rename(fuse("away"), fuse("instances"));
    if (!inner().is_active()) {
        ASSERT_TRUE(done(inner().start()));
    }
    const Refusal refusal = GetParam().tried(inner(), *pool().volume("instances/source"));
    EXPECT_NE(refusal.code, VIR_ERR_OK);
    expect_precious_is_there();
}

INSTANTIATE_TEST_SUITE_P(Makings, TakenByTest, testing::ValuesIn(makings()),
                         [](const auto& with) { return with.param.name; });

TEST_F(TakenNamesTest, AfterARestartTheVolumeThatHasTheNameIsSpared) {
    ASSERT_TRUE(lab().libvirtd(1, "restart").ok());
    reconnect(1);
    if (!pool().is_active()) {
        ASSERT_TRUE(done(pool().start()));
    }
    ASSERT_NO_FATAL_FAILURE(inner_anew());
    make_precious_over_fuse();
    for (const auto& making : makings()) {
        EXPECT_NE(making.tried(inner(), source()).code, VIR_ERR_OK) << making.name;
        expect_precious_is_there();
    }
    // Known through the other pool.
    ASSERT_TRUE(done(pool().refresh()));
    for (const auto& making : makings()) {
        EXPECT_NE(making.tried(inner(), source()).code, VIR_ERR_OK) << making.name;
        expect_precious_is_there();
    }
}

TEST_F(TakenNamesTest, WhatARefreshHasListedSinceAFailureIsDeletedWhenItIsAskedFor) {
    ASSERT_NO_FATAL_FAILURE(make_precious_on(pool()));
    EXPECT_FALSE(inner().clone(raw(kName), source()));
    EXPECT_FALSE(inner().create(raw(kName)));
    expect_precious_is_there();
    ASSERT_TRUE(done(inner().refresh()));
    ASSERT_TRUE(inner().lists(kName));
    EXPECT_TRUE(done(inner().volume(kName)->erase()));
    EXPECT_FALSE(exists(kPath));
    EXPECT_TRUE(done(inner().create(raw(kName))));
    EXPECT_TRUE(done(inner().volume(kName)->erase()));
    EXPECT_FALSE(exists(kPath));
}

TEST_F(TakenNamesTest, WhatTheOtherPoolMadeIsDeletedThroughItAfterAFailureHere) {
    ASSERT_NO_FATAL_FAILURE(make_precious_on(pool()));
    EXPECT_FALSE(inner().clone(raw(kName), source()));
    EXPECT_TRUE(done(pool().volume(kPath)->erase()));
    EXPECT_FALSE(exists(kPath));
}

TEST_F(TakenNamesTest, AFailureOnAFreeNameLeavesItFree) {
    EXPECT_FALSE(inner().clone(overlay(kName, "nothing"), source()));
    EXPECT_FALSE(inner().clone(raw(kName), source(), VIR_STORAGE_VOL_CREATE_REFLINK));
    EXPECT_FALSE(exists(kPath));
    EXPECT_TRUE(done(inner().clone(raw(kName), source())));
    EXPECT_TRUE(done(inner().volume(kName)->erase()));
    EXPECT_FALSE(exists(kPath));
}

}  // namespace sfg::test
