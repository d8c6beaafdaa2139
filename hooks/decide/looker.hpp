// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hooks/look/chain_look.hpp"
#include "hooks/rewrite/found_image.hpp"

namespace sfg::hooks {

// Looks at the images of a guest: on the FUSE mount where their volume is mounted on this host,
// else over gfapi. A volume that did not answer once is not asked again.
class Looker {
  public:
    // `volumes` must outlive this.
    explicit Looker(const KnownVolumes& volumes) : volumes_(volumes) {}

    // Over gfapi it connects to the known servers of the volume, else to those of the document.
    ChainLook look(const FoundImage& image);

    // For an image below that mount point; only on the mount.
    ChainLook look_on(const MountedDirectory& mount, const std::string& path,
                      const std::string& format);

  private:
    ChainLook look_over_gfapi(const FoundImage& image);

    const KnownVolumes& volumes_;
    std::map<std::string, std::string> silent_;  // mount points, volumes: what they said
};

// The sentence about an image that is no multiple of 512 bytes, with the command that mends it.
// `mount` is where its volume is mounted; may be null.
std::string about_unpadded(const Unpadded& image, const std::string& volume,
                           const MountedDirectory* mount);

}  // namespace sfg::hooks
