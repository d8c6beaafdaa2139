// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/bounded.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>

namespace sfg {
namespace {

using std::chrono::milliseconds;

VolumeAddress address(const std::string& volume) {
    return {volume, {{"sf-1", 0}}};
}

TEST(BoundedWork, GivesItsOutcome) {
    const auto done = run_bounded<int>(address("a"), "disk 'd'", milliseconds(1000),
                                       [] { return Result<int>(7); });
    ASSERT_TRUE(done);
    EXPECT_EQ(*done, 7);
    const auto thrown = run_bounded<int>(address("a"), "disk 'd'", milliseconds(1000),
                                         []() -> Result<int> { throw std::runtime_error("oh"); });
    ASSERT_FALSE(thrown);
    EXPECT_EQ(thrown.error().message(), "oh");
}

TEST(BoundedWork, IsNotWaitedForWhenItShowsNoLife) {
    auto ended = std::make_shared<std::atomic<bool>>(false);
    const auto late = run_bounded<int>(address("b"), "disk 'd'", milliseconds(50), [ended] {
        while (!*ended) std::this_thread::sleep_for(milliseconds(1));
        return Result<int>(7);
    });
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind(), ErrorKind::not_connected);
    EXPECT_EQ(late.error().system_errno(), ETIMEDOUT);
    EXPECT_NE(late.error().message().find("disk 'd'"), std::string::npos);
    // While it hangs the next one is not begun; other volumes are not concerned.
    EXPECT_FALSE(check_not_hung(address("b"), "disk 'd'"));
    EXPECT_TRUE(check_not_hung(address("c"), "disk 'd'"));
    *ended = true;
    for (int i = 0; i < 1000 && !check_not_hung(address("b"), "disk 'd'"); ++i)
        std::this_thread::sleep_for(milliseconds(1));
    EXPECT_TRUE(check_not_hung(address("b"), "disk 'd'"));
}

TEST(BoundedWork, IsWaitedForAsLongAsItShowsLife) {
    const auto done = run_bounded<int>(address("d"), "disk 'd'", milliseconds(200), [] {
        for (int i = 0; i < 20; ++i) {
            std::this_thread::sleep_for(milliseconds(30));
            show_life();
        }
        return Result<int>(7);
    });
    EXPECT_TRUE(done);
}

}  // namespace
}  // namespace sfg
