// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace sfg::test {

// While it lives, this host has nothing but an empty device at `path`.
class HiddenFile {
  public:
    explicit HiddenFile(const std::string& path);
    ~HiddenFile();
    HiddenFile(const HiddenFile&) = delete;
    HiddenFile& operator=(const HiddenFile&) = delete;

  private:
    std::string path_;
};

// Where qemu has its gluster driver.
std::string driver_module();

// A qemu without a gluster driver, on this host.
class HiddenDriver : HiddenFile {
  public:
    HiddenDriver() : HiddenFile(driver_module()) {}
};

}  // namespace sfg::test
