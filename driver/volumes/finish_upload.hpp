// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

#include "driver/core/result.hpp"
#include "driver/volumes/gate.hpp"

namespace sfg {

// What makes uploaded bytes a volume: what they are is recorded, and a qcow2 image whose length is
// no multiple of 512 is padded to whole clusters, so that it opens over gfapi as well as over FUSE
// (qemu issue 937). Then all is flushed.
//
// Without `header_came` the start of the file is older than the upload, perhaps a guest's: then the
// format stays what was recorded.
Result<void> finish_upload(TakenVolume& taken, bool header_came, const std::string& who);

// Pads a qcow2 image to whole clusters. Does not flush.
Result<void> pad_image(ByteSource& file, std::uint64_t cluster_size);

}  // namespace sfg
