// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"
#include "driver/pools/pool.hpp"
#include "driver/volumes/create.hpp"

namespace sfg {

// What a new volume is to be a copy of: a volume of whatever pool.
struct CloneSource {
    std::string path;    // a gluster URI, or a path of this host: a file or a block device
    std::string format;  // libvirt's name, for one of this host; gluster's own are looked at
};

// Makes the volume with the contents of `source`. As create_volume: whatever happens there is
// either the whole volume or none.
//   raw to raw      copied; holes stay holes unless the request wants all of it on disk
//   qcow2 to qcow2  with the same parameters and the same base (or none): copied with all that is
//   in
//                   it, the base's name recorded anew for where the new image stands
//   all else        other formats, other parameters, another base, or none where the source has
//                   one (which flattens the chain): converted by qemu-img (driver/convert)
// and then grown where the request wants more than the source has.
//
// Errors as for create_volume; busy where the source is being changed, or a guest writes to it and
// it is not raw; denied, unsupported and corrupt as for walk_chain.
Result<void> clone_volume(const OpenPool& pool, const VolumeRequest& request,
                          const CloneSource& source);

}  // namespace sfg
