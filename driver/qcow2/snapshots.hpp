// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"
#include "driver/qcow2/header.hpp"

namespace sfg::qcow2 {

// Whether each internal snapshot of the image says how large the disk was when it was taken, so
// that another size of the image means nothing to it. Version 3 asks for that (section
// "Snapshots"); in version 2 qemu takes the size that the image has now, so it refuses to resize
// such an image, and so does this. Errors: unsupported for a snapshot that does not say it, corrupt
// for a table that is not whole or larger than qemu reads.
Result<void> check_snapshots_know_their_size(ByteSource& file, const Header& header);

}  // namespace sfg::qcow2
