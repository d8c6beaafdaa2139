// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"

namespace sfg::qcow2 {

struct ResizeOptions {
    std::uint64_t virtual_size = 0;  // the new one; bytes, a multiple of 512
    bool allow_shrink = false;

    // The virtual size in bytes of the base. Must be given where an image with a base grows: an
    // image that was shorter than its base must not show the base's bytes in its new part.
    std::optional<std::uint64_t> base_size;
};

// Gives the image in `file` another virtual size. The new part of a disk that grows reads as
// zeros, but for what an earlier shrink by another program left in the last cluster; a disk
// shrinks only when nothing is allocated behind its new end, so no byte is ever dropped. Clusters
// that are marked as zeros and take no space may be there. The same size changes nothing.
//
// Mostly the L1 table has room, and the change is one write of the header. Otherwise tables are
// replaced as switchover.hpp describes. A process that dies at any moment, or a power cut, leaves
// a clean image of either the old or the new size, and so does an error. Flushes before it returns.
// The file's length is then a multiple of the cluster size.
//
// Nobody else may have the image open. Takes a few MiB of memory for usual images, and stays below
// 256 MiB for the largest tables.
//
// Errors, one sentence each:
//   invalid      a size that is no multiple of 512; smaller than now without allow_shrink; a base
//                without base_size; not a qcow2 image
//   unsupported  a size over the format's limit; encryption, an external data file or persistent
//                bitmaps; snapshots that do not say how large the disk was; data behind the end; a
//                base that is longer than the image
//   corrupt      the image contradicts its format, or says itself that it is damaged or that its
//                refcounts are stale
// and whatever the file returns.
Result<void> resize(ByteSource& file, const ResizeOptions& options);

}  // namespace sfg::qcow2
