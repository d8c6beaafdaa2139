// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"

namespace sfg::qcow2 {

// How a new qcow2 image shall be.
struct CreateOptions {
    // What of the image exists before the guest's first write. The words are those of qemu-img.
    enum class Preallocation {
        off,       // header and empty tables
        metadata,  // also every L2 table; the place of the data is a hole in the file
        falloc,    // the same, and storage is reserved for the data
        full,      // the same, and the data is written as zeros
    };

    std::uint64_t virtual_size = 0;      // bytes, a multiple of 512
    std::uint64_t cluster_size = 65536;  // bytes, a power of two from 512 to 2 MiB
    int version = 3;                     // 2 is compat 0.10, 3 is compat 1.1
    bool lazy_refcounts = false;         // version 3 only
    bool extended_l2 = false;            // version 3 and clusters of 16 KiB or more only
    Preallocation preallocation = Preallocation::off;  // with a base only if extended_l2
    std::optional<std::string> backing_file;           // written as it is; 1 to 1023 bytes
    std::optional<std::string> backing_format;         // qemu's name of it; 1 to 15 bytes
};

// Whether such an image can be made. Errors: invalid for what cannot be right, unsupported for what
// the format, or qemu's limits on it, does not have; one sentence each.
Result<void> check_options(const CreateOptions& options);

// The largest virtual size in bytes, for options that are right otherwise: what an L1 table of
// 32 MiB can map. 0 when there is no such cluster size.
std::uint64_t max_virtual_size(std::uint64_t cluster_size, bool extended_l2);

// The length in bytes of the file that create() makes, a multiple of the cluster size.
// The options must have passed check_options().
std::uint64_t file_length(const CreateOptions& options);

// How many of these bytes are not room for the guest's data: header, refcounts and tables.
// The options must have passed check_options().
std::uint64_t metadata_size(const CreateOptions& options);

// Makes the image in `file`, which is empty. Checks the options first. Without preallocation it
// takes one write, or with large clusters or a large L1 table a few small ones and a resize; the
// time does not grow with the virtual size. Memory stays below 3 MiB in any case. Where the
// storage cannot reserve space, falloc writes zeros. Does not flush. After an error the file's
// content is undefined and it should be deleted.
Result<void> create(ByteSource& file, const CreateOptions& options);

}  // namespace sfg::qcow2
