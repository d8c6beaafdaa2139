// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace sfg::bench {

// A directory of its own at the root of the gluster volume, made over a FUSE mount and removed
// with all that is in it.
class ScratchDirectory {
  public:
    // `mount` is any FUSE mount of the volume.
    explicit ScratchDirectory(const std::string& mount);
    ~ScratchDirectory();
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    // In the volume, beginning with '/'.
    const std::string& in_volume() const { return in_volume_; }
    void make_subdirectory(const std::string& name) const;
    // Sets the times of every file in a subdirectory to now, so that nothing that was read from
    // them before may be taken for still true.
    void touch_all(const std::string& subdirectory) const;

  private:
    std::string mount_;
    std::string in_volume_;
};

}  // namespace sfg::bench
