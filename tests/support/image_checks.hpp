// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace sfg::test {

// What qemu says of images; `path` is a local one, such as a FUSE mount's.

// qemu-img check finds neither errors nor leaks, and the file can be opened over gfapi as well: its
// length is a multiple of 512.
testing::AssertionResult sound(const std::string& path);

// qemu-img compare finds that a guest reads the same from both. `strict`: that they have the same
// size, too.
testing::AssertionResult same_guest_bytes(const std::string& format, const std::string& path,
                                          const std::string& other_format,
                                          const std::string& other_path, bool strict = true);

// A value of what qemu-img info --output=json has printed, of the (first) image itself; empty where
// it is not there.
std::string field_of_info(const std::string& json, const std::string& name);
std::string image_field(const std::string& path, const std::string& name);

// Commands of qemu-io ("write -P 1 0 64k"), one after another. False when one fails.
testing::AssertionResult in_image(const std::string& format, const std::string& path,
                                  const std::string& commands);

}  // namespace sfg::test
