// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What was told as done is so when all bricks have lost power a moment later.
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

#include "tests/support/distributed_fixture.hpp"
#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

constexpr int kBricks = 2;

class PowerCutTest;

struct Verb {
    std::string name;
    std::function<void(PowerCutTest& test)> prepare;
    std::function<void(PowerCutTest& test)> act;
    std::function<void(PowerCutTest& test)> check;
};
void PrintTo(const Verb& verb, std::ostream* out) {
    *out << verb.name;
}

class PowerCutTest : public PoolTest, public testing::WithParamInterface<Verb> {
  public:
    using PoolTest::define;
    using PoolTest::exists;
    using PoolTest::pool;
    using PoolTest::read_file;
    using PoolTest::spec;

    std::string volume() const override {
        return lab().extra_volume("power",
                                  {"--bricks", std::to_string(kBricks), "--brick-size", "256M"});
    }

    Volume named(const std::string& name) { return *pool().volume(name); }

    // All that was done before is on disk.
    void settle() { EXPECT_TRUE(lab().on_host(1, "sync").ok()); }

    void cut_power() {
        for (const char* action : {"power-cut", "start"})
            for (int brick = 1; brick <= kBricks; ++brick) {
                const Ran ran = lab().call("brick", {volume(), std::to_string(brick), action});
                ASSERT_TRUE(ran.ok()) << ran.output;
            }
        ASSERT_TRUE(comes_true([&] { return everybody_is_connected(lab(), volume(), kBricks); },
                               std::chrono::seconds(60)));
        // The bricks know of a connection a moment before their clients do.
        ASSERT_TRUE(comes_true([&] { return bool(done(pool().refresh())) && mount_answers(); },
                               std::chrono::seconds(30)));
    }
};

std::string some_bytes() {
    std::string bytes;
    for (int i = 0; i < 300'000; ++i) bytes += std::to_string(i);
    return bytes;
}

void make_source(PowerCutTest& test) {
    ASSERT_TRUE(done(test.pool().create(raw("source", 4 * kMiB))));
    ASSERT_TRUE(done(upload(test.named("source"), some_bytes())));
}

Verb creation(const std::string& name, const VolumeSpec& made) {
    return {name, [](PowerCutTest&) {},
            [made](PowerCutTest& test) { EXPECT_TRUE(done(test.pool().create(made))); },
            [made](PowerCutTest& test) {
                const auto volume = test.pool().volume(made.name);
                ASSERT_TRUE(done(volume));
                EXPECT_EQ(XmlText(*volume->xml()).at("/volume/target/format/@type"), made.format);
                EXPECT_EQ(XmlText(*volume->xml()).number("/volume/capacity"), made.capacity);
            }};
}

std::vector<Verb> verbs() {
    const std::vector<Verb> most = {
        creation("raw", raw("a", 3 * kMiB)),
        {"clone", make_source,
         [](PowerCutTest& test) {
             EXPECT_TRUE(done(test.pool().clone(raw("copy", 4 * kMiB), test.named("source"))));
         },
         [](PowerCutTest& test) {
             ASSERT_TRUE(done(test.pool().volume("copy")));
             EXPECT_TRUE(test.read_file("copy").starts_with(some_bytes()));
         }},
        {"delete", make_source,
         [](PowerCutTest& test) { EXPECT_TRUE(done(test.named("source").erase())); },
         [](PowerCutTest& test) { EXPECT_FALSE(test.pool().volume("source")); }},
        {"directory", [](PowerCutTest&) {},
         [](PowerCutTest& test) { EXPECT_TRUE(done(test.pool().create(directory("directory")))); },
         [](PowerCutTest& test) { EXPECT_TRUE(done(test.pool().volume("directory"))); }},
        {"upload",
         [](PowerCutTest& test) { ASSERT_TRUE(done(test.pool().create(raw("u", kMiB)))); },
         [](PowerCutTest& test) { EXPECT_TRUE(done(upload(test.named("u"), some_bytes()))); },
         [](PowerCutTest& test) { EXPECT_TRUE(test.read_file("u").starts_with(some_bytes())); }},
    };
    return cases(
        most,
        {creation("qcow2", qcow2("instances/uuid/vda", 7 * kMiB)),
         {"overlay",
          [](PowerCutTest& test) { ASSERT_TRUE(done(test.pool().create(qcow2("base", kMiB)))); },
          [](PowerCutTest& test) {
              EXPECT_TRUE(done(test.pool().create(overlay("i/vda", "base"))));
          },
          [](PowerCutTest& test) { EXPECT_TRUE(done(test.pool().volume("i/vda"))); }},
         {"conversion", make_source,
          [](PowerCutTest& test) {
              EXPECT_TRUE(done(test.pool().clone(qcow2("copy", 4 * kMiB), test.named("source"))));
          },
          [](PowerCutTest& test) {
              const auto copy = test.pool().volume("copy");
              ASSERT_TRUE(done(copy));
              EXPECT_EQ(XmlText(*copy->xml()).at("/volume/target/format/@type"), "qcow2");
          }},
         {"resize",
          [](PowerCutTest& test) { ASSERT_TRUE(done(test.pool().create(qcow2("r", kMiB)))); },
          [](PowerCutTest& test) { EXPECT_TRUE(done(resize(test.named("r"), 5 * kMiB))); },
          [](PowerCutTest& test) {
              EXPECT_EQ(XmlText(*test.named("r").xml()).number("/volume/capacity"), 5 * kMiB);
          }},
         {"wipe", make_source,
          [](PowerCutTest& test) { EXPECT_TRUE(done(wipe(test.named("source")))); },
          [](PowerCutTest& test) {
              EXPECT_EQ(test.read_file("source").find_first_not_of('\0'), std::string::npos);
          }},
         {"pool_build", [](PowerCutTest&) {},
          [](PowerCutTest& test) {
              PoolSpec built = test.spec();
              built.name += "-built";
              built.directory += "/built/here";
              const auto pool = test.define(built);
              ASSERT_TRUE(done(pool));
              EXPECT_TRUE(done(pool->build()));
          },
          [](PowerCutTest& test) { EXPECT_TRUE(test.exists("built/here")); }}});
}

}  // namespace

TEST_P(PowerCutTest, WhatWasToldAsDoneIsDone) {
    GetParam().prepare(*this);
    settle();
    GetParam().act(*this);
    cut_power();
    if (HasFatalFailure()) return;
    GetParam().check(*this);
}

INSTANTIATE_TEST_SUITE_P(OfBricks, PowerCutTest, testing::ValuesIn(verbs()),
                         [](const auto& one) { return one.param.name; });

}  // namespace sfg::test
