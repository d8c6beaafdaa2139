// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "driver/core/fd.hpp"
#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"

namespace sfg {

// A gluster volume mounted by a glusterfs process of our own.
class GlusterMount {
  public:
    // Starts `program` (glusterfs) with `place` as the mount point; its log is `log`. Both names
    // lie in the private place. Returns at once.
    static Result<GlusterMount> start(const std::string& program, const VolumeAddress& address,
                                      const std::string& place, const std::string& log);

    // Until files can be opened. ErrorKind::not_connected with glusterfs's own words when it ends
    // or `deadline` comes first.
    Result<void> wait(std::chrono::steady_clock::time_point deadline);

    // An open directory: the volume's root. After wait().
    int root() const { return root_.get(); }
    // The same, of a view that nothing can be written through.
    int read_only_root() const { return read_only_root_.get(); }

    // Unmounts, and gives glusterfs a moment to tell the bricks that it goes: replicated volumes
    // have their last bookkeeping done then. No file may be open.
    void stop();

  private:
    Error failed(const std::string& what) const;

    VolumeAddress address_;
    std::string place_;
    std::string log_;
    pid_t pid_ = -1;
    Fd root_;
    Fd read_only_root_;
};

}  // namespace sfg
