// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sfg::test {

struct Expected {
    std::string format;  // "directory" for one
    unsigned long long capacity = 0;
    unsigned long long allocation = 0;  // at least, for raw
    std::string base = {};              // as it is recorded in the image
    std::string same_as = {};           // a volume of the format whose guest sees the same bytes
};

// Whether the file at a path of a FUSE mount is all of what was asked for, as qemu-img and the
// driver's own record see it.
testing::AssertionResult is_whole(const std::string& path, const Expected& expected);

// Whether guests see the same in two images of one format; behind the shorter one zeros.
testing::AssertionResult has_same_contents(const std::string& path, const std::string& other,
                                           const std::string& format);

// Paths below `directory`, from it, of what no volume may be called: files in work and left over.
std::vector<std::string> temporaries_below(const std::string& directory);

}  // namespace sfg::test
