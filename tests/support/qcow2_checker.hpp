// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "driver/core/byte_source.hpp"

// A second reading of the qcow2 format, for tests of what changes images: it shares nothing with
// driver/qcow2 but the names of numbers.
namespace sfg::test {

// What `qemu-img check` looks at: walks from the header over all tables, those of snapshots too,
// counts who uses each cluster of the file, and compares with the refcounts and the COPIED flags.
// Beyond that, no cluster behind the end of the file may be counted: it is a leak as soon as the
// file grows. Empty when the image is clean, else the first thing that is wrong. Encryption and
// bitmaps are not followed.
std::string check_qcow2(ByteSource& file);

// What the guest sees of its first `bytes`, by the number of the guest cluster (for extended L2
// entries, of the subcluster): the bytes, or the compressed bytes, or "base". What reads as zeros
// is left out, so that it does not matter how the image says so.
std::map<std::uint64_t, std::string> guest_content(ByteSource& file, std::uint64_t bytes);

// The end of the last guest cluster that has a place in the file, in bytes; 0 without one. Counts
// what is behind the end of the disk, too.
std::uint64_t allocated_end(ByteSource& file);

// Guest clusters that are, in whole or in part, marked as zeros without a place in the file.
std::uint64_t marked_as_zeros(ByteSource& file);

// Guest clusters of the disk that are neither allocated nor marked as zeros.
std::uint64_t unallocated_clusters(ByteSource& file);

}  // namespace sfg::test
