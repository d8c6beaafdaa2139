// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"
#include "hooks/look/chain_look.hpp"

namespace sfg::hooks {

struct ImageToLookAt {
    std::string path;    // in the volume, as the document has it
    std::string format;  // "raw", "qcow2"; "" where it is not known
};

// Looks at images over gfapi, in a process that runs as qemu's user for three seconds at most: the
// servers may be a document's that came from elsewhere, and a gluster client runs commands that a
// volume file has in it. qemu, as that user, would ask them next. One look for each image, or
// an error where the volume cannot be reached.
Result<std::vector<ChainLook>> look_over_gfapi(const VolumeAddress& address,
                                               const std::vector<ImageToLookAt>& images);

}  // namespace sfg::hooks
