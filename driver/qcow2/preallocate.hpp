// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"
#include "driver/qcow2/create.hpp"

namespace sfg::qcow2 {

// Gives every guest cluster of the image in `file` that is not allocated a place at the end of the
// file. Clusters that are allocated, compressed or marked as zeros stay what they are. What the
// guest reads does not change: the new clusters are zeros, or with extended L2 entries have all
// their subclusters unallocated.
//
//   off       does nothing
//   metadata  the new clusters are a hole in the file
//   falloc    storage is reserved for them; where that cannot be done, zeros are written
//   full      they are written as zeros
//
// All tables that change are replaced at once, as switchover.hpp describes: a process that dies at
// any moment, or a power cut, leaves a clean image with all of the new clusters or with none, and
// so does an error. Flushes before it returns. The file's length is then a multiple of the cluster
// size.
//
// Nobody else may have the image open. Reads all L2 tables twice. Takes a few MiB of memory for
// usual images, and stays below 256 MiB for the largest tables.
//
// Errors, one sentence each:
//   invalid      not a qcow2 image
//   unsupported  a base without extended L2 entries, encryption, an external data file, or a disk
//                that is too large to be allocated whole
//   corrupt      the image contradicts its format, or says itself that it is damaged or that its
//                refcounts are stale
//   no_space     the storage is full; the image is as it was
// and whatever the file returns.
Result<void> preallocate(ByteSource& file, CreateOptions::Preallocation mode);

}  // namespace sfg::qcow2
