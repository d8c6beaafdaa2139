// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "tests/support/companion.hpp"

namespace sfg::test {

// qemu with an image open over FUSE, as a guest has it: with its locks on the file. `path` is as
// the host sees it.
class OpenImage {
  public:
    enum class Access { read_write, read_only };

    OpenImage(int host, const std::string& path, const std::string& format = "raw",
              Access access = Access::read_write);

    bool is_open() const { return process_.is_ready(); }
    const std::string& said() const { return process_.said(); }
    // One of qemu-io's commands; false when it failed.
    bool command(const std::string& words);
    void close() { process_.end(); }

  private:
    Companion process_;
};

}  // namespace sfg::test
