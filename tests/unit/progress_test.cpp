// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/progress.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "driver/core/log.hpp"

namespace sfg {
namespace {

std::atomic<int> lines;

TEST(ProgressOfABuild, IsFoundUnderItsUri) {
    const std::string uri = "gluster://host/volume/found";
    EXPECT_EQ(Progress::of_build(uri), std::nullopt);
    {
        Progress progress("volume 'x': copied", 1000, uri);
        EXPECT_EQ(Progress::of_build(uri), 0U);
        progress.advance(100);
        progress.advance(23);
        EXPECT_EQ(Progress::of_build(uri), 123U);
        EXPECT_EQ(Progress::of_build(uri + "-other"), std::nullopt);
    }
    EXPECT_EQ(Progress::of_build(uri), std::nullopt);
}

TEST(ProgressOfABuild, IsToldInPercentToo) {
    const std::string uri = "gluster://host/volume/percent";
    Progress progress("volume 'x': converted", 1 << 20, uri);
    progress.set_percent(25.0);
    EXPECT_EQ(Progress::of_build(uri), 1U << 18);
    progress.set_percent(100.0);
    EXPECT_EQ(Progress::of_build(uri), 1U << 20);
}

TEST(ProgressOfABuild, IsThatOfTheLastOneOfItsUri) {
    // A build that gluster kept hanging ends when another one of the name is under way.
    const std::string uri = "gluster://host/volume/twice";
    std::optional<Progress> first, second;
    first.emplace("first", 10, uri);
    first->advance(1);
    second.emplace("second", 10, uri);
    second->advance(5);
    EXPECT_EQ(Progress::of_build(uri), 5U);
    first.reset();
    EXPECT_EQ(Progress::of_build(uri), 5U);
    second.reset();
    EXPECT_EQ(Progress::of_build(uri), std::nullopt);
}

TEST(ProgressOfOtherWork, IsFoundNowhere) {
    Progress progress("volume 'x': wiped", 0);
    progress.advance(5);
    EXPECT_EQ(Progress::of_build(""), std::nullopt);
}

TEST(ProgressOfOtherWork, OfAMomentSaysNothing) {
    lines = 0;
    set_log_sink([](LogLevel, const char*) { ++lines; });
    {
        Progress progress("volume 'x': wiped", 0);
        for (int i = 0; i < 1000; ++i) progress.advance(1 << 20);
    }
    set_log_sink(nullptr);
    EXPECT_EQ(lines, 0);
}

TEST(ProgressOfABuild, IsAdvancedByManyThreads) {
    const std::string uri = "gluster://host/volume/threads";
    Progress progress("volume 'x': copied", 0, uri);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < 1000; ++j) progress.advance(3);
        });
    std::uint64_t last = 0;
    while (last < 12000) {
        const auto now = Progress::of_build(uri);
        ASSERT_TRUE(now);
        ASSERT_GE(*now, last);
        last = *now;
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(Progress::of_build(uri), 12000U);
}

}  // namespace
}  // namespace sfg
