// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/hidden_driver.hpp"

#include <glob.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

namespace sfg::test {

HiddenFile::HiddenFile(const std::string& path) : path_(path) {
    EXPECT_EQ(mount("/dev/null", path.c_str(), nullptr, MS_BIND, nullptr), 0) << path;
}

HiddenFile::~HiddenFile() {
    EXPECT_EQ(umount2(path_.c_str(), MNT_DETACH), 0) << path_;
}

std::string driver_module() {
    glob_t found;
    std::string path;
    if (glob("/usr/lib/*/qemu/block-gluster.so", 0, nullptr, &found) == 0) path = found.gl_pathv[0];
    globfree(&found);
    return path;
}

}  // namespace sfg::test
