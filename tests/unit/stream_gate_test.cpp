// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/stream_gate.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

namespace sfg {
namespace {

class StreamGateTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(gate_.open());
        const auto copy = gate_.duplicate();
        ASSERT_TRUE(copy);
        watched_ = *copy;
    }
    void TearDown() override { ::close(watched_); }

    short ready(int milliseconds = 0) const {
        pollfd watched{watched_, POLLIN | POLLOUT, 0};
        ::poll(&watched, 1, milliseconds);
        return watched.revents;
    }

    StreamGate gate_;
    int watched_ = -1;
};

TEST_F(StreamGateTest, ABrokenDescriptorInItsPlaceTellsOfAnError) {
    const auto broken = open_broken_descriptor();
    ASSERT_TRUE(broken);
    ASSERT_EQ(::dup3(*broken, watched_, O_CLOEXEC), watched_);
    ::close(*broken);
    // Writable too: whoever writes is to ask what it is.
    EXPECT_EQ(ready(), POLLERR | POLLOUT);
}

TEST_F(StreamGateTest, BeginsWithNothingToRead) {
    EXPECT_EQ(ready(), POLLOUT);
}

TEST_F(StreamGateTest, IsReadableWhenItIsSaid) {
    for (int i = 0; i < 3; ++i) {
        gate_.set_readable(true);
        EXPECT_EQ(ready() & POLLIN, POLLIN);
        gate_.set_readable(true);
        EXPECT_EQ(ready() & POLLIN, POLLIN);
        gate_.set_readable(false);
        EXPECT_EQ(ready() & POLLIN, 0);
        gate_.set_readable(false);
        EXPECT_EQ(ready() & POLLIN, 0);
    }
}

TEST_F(StreamGateTest, IsWritableWhenItIsSaid) {
    for (int i = 0; i < 3; ++i) {
        gate_.set_writable(false);
        EXPECT_EQ(ready() & POLLOUT, 0);
        gate_.set_writable(false);
        EXPECT_EQ(ready() & POLLOUT, 0);
        gate_.set_writable(true);
        EXPECT_EQ(ready() & POLLOUT, POLLOUT);
        gate_.set_writable(true);
        EXPECT_EQ(ready() & POLLOUT, POLLOUT);
    }
}

TEST_F(StreamGateTest, ACopyIsClosedOnItsOwnAndNotInherited) {
    const auto other = gate_.duplicate();
    ASSERT_TRUE(other);
    EXPECT_EQ(::fcntl(*other, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    EXPECT_EQ(::close(*other), 0);
    gate_.set_readable(true);
    EXPECT_EQ(ready() & POLLIN, POLLIN);
}

TEST(AStreamGate, MayGoBeforeItsCopies) {
    int watched = -1;
    {
        StreamGate gate;
        ASSERT_TRUE(gate.open());
        gate.set_readable(true);
        watched = *gate.duplicate();
    }
    pollfd polled{watched, POLLIN, 0};
    EXPECT_EQ(::poll(&polled, 1, 0), 1);
    EXPECT_EQ(::close(watched), 0);
}

TEST(AStreamGate, ThatWasNotOpenedHasNoDescriptor) {
    const StreamGate gate;
    EXPECT_FALSE(gate.duplicate());
}

}  // namespace
}  // namespace sfg
