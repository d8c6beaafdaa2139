// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "hooks/look/chain_look.hpp"
#include "hooks/rewrite/found_image.hpp"

namespace sfg::hooks {

// Looks at the images of a guest: on the FUSE mount where their volume is mounted on this host,
// else over gfapi, from servers that this host knows. All its looks together take ten seconds at
// most; what is not looked at then is unknown (not_tried). A mount or volume that did not answer
// once is not asked again.
class Looker {
  public:
    // `volumes` must outlive this.
    explicit Looker(const KnownVolumes& volumes) : volumes_(volumes) {}

    ChainLook look(const FoundImage& image);

    // The same only on a mount that shows the image.
    ChainLook look_on(const MountedDirectory& mount, const FoundImage& image);

    // Whether the image's volume can be reached over gfapi as qemu's user, and has it. That a
    // volume could be is remembered for ten minutes.
    bool is_reached_over_gfapi(const FoundImage& image);

  private:
    ChainLook look_over_gfapi(const FoundImage& image);
    std::chrono::milliseconds time_left(std::chrono::milliseconds most) const;

    const KnownVolumes& volumes_;
    const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::map<std::string, ChainLook> silent_;  // mount points, volumes
};

// The sentence about an image that is no multiple of 512 bytes, with the command that mends it.
// `mount` is where its volume is mounted; may be null.
std::string about_unpadded(const Unpadded& image, const std::string& volume,
                           const MountedDirectory* mount);

}  // namespace sfg::hooks
