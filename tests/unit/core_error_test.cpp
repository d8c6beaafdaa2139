// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include <cerrno>

#include "driver/core/error.hpp"

namespace sfg {

TEST(ErrorTest, TheKindFollowsFromTheErrno) {
    EXPECT_EQ(kind_of_errno(ENOENT), ErrorKind::not_found);
    EXPECT_EQ(kind_of_errno(ESTALE), ErrorKind::not_found);
    EXPECT_EQ(kind_of_errno(EEXIST), ErrorKind::exists);
    EXPECT_EQ(kind_of_errno(EOPNOTSUPP), ErrorKind::unsupported);
    EXPECT_EQ(kind_of_errno(ENOSPC), ErrorKind::no_space);
    EXPECT_EQ(kind_of_errno(EDQUOT), ErrorKind::no_space);
    EXPECT_EQ(kind_of_errno(EROFS), ErrorKind::denied);
    EXPECT_EQ(kind_of_errno(ENOTCONN), ErrorKind::not_connected);
    EXPECT_EQ(kind_of_errno(EIO), ErrorKind::io);
    EXPECT_EQ(kind_of_errno(0), ErrorKind::io);
}

TEST(ErrorTest, AFailedCallIsOneSentenceWithTheReason) {
    const Error error = Error::from_errno(ENOENT, "cannot open 'a'");
    EXPECT_EQ(error.message(), "cannot open 'a': No such file or directory");
    EXPECT_EQ(error.system_errno(), ENOENT);
}

TEST(ErrorTest, ContextComesFirstAndTheKindStays) {
    const Error error = Error(ErrorKind::busy, EBUSY, "in use").with_context("volume 'v'");
    EXPECT_EQ(error.message(), "volume 'v': in use");
    EXPECT_EQ(error.kind(), ErrorKind::busy);
    EXPECT_EQ(error.system_errno(), EBUSY);
}

TEST(ErrorTest, AnErrnoWithoutATextIsNamedByItsNumber) {
    EXPECT_EQ(errno_text(99999), "errno 99999");
}

}  // namespace sfg
