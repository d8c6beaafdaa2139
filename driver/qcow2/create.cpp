// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/create.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "driver/qcow2/base_names.hpp"
#include "driver/qcow2/geometry.hpp"
#include "driver/qcow2/header_writer.hpp"
#include "driver/qcow2/layout.hpp"
#include "driver/qcow2/stream_writer.hpp"

namespace sfg::qcow2 {

namespace {

using Preallocation = CreateOptions::Preallocation;

constexpr std::uint64_t kSector = 512;

Error invalid(std::string sentence) {
    return Error(ErrorKind::invalid, std::move(sentence));
}
Error unsupported(std::string sentence) {
    return Error(ErrorKind::unsupported, std::move(sentence));
}

bool is_cluster_size(std::uint64_t bytes) {
    return std::has_single_bit(bytes) && bytes >= (1u << kMinClusterBits) &&
           bytes <= (1u << kMaxClusterBits);
}

Geometry geometry_of(const CreateOptions& options) {
    Geometry geometry;
    geometry.cluster_bits = static_cast<std::uint32_t>(std::countr_zero(options.cluster_size));
    geometry.extended_l2 = options.extended_l2;
    return geometry;
}

ImagePlan plan_of(const CreateOptions& options) {
    return plan_image(geometry_of(options), options.virtual_size,
                      options.preallocation != Preallocation::off);
}

Result<void> check_version(const CreateOptions& options) {
    if (options.version != 2 && options.version != 3) {
        return unsupported("qcow2 has versions 2 (compat 0.10) and 3 (compat 1.1), not " +
                           std::to_string(options.version));
    }
    if (options.version == 2 && options.lazy_refcounts)
        return unsupported("lazy refcounts need qcow2 version 3 (compat 1.1)");
    if (options.version == 2 && options.extended_l2)
        return unsupported("extended L2 entries need qcow2 version 3 (compat 1.1)");
    return {};
}

Result<void> check_cluster_size(const CreateOptions& options) {
    if (!is_cluster_size(options.cluster_size)) {
        return unsupported("qcow2 clusters have a power of two from 512 to 2097152 bytes, not " +
                           std::to_string(options.cluster_size));
    }
    if (options.extended_l2 && options.cluster_size < (1u << kMinClusterBitsExtendedL2)) {
        return unsupported("extended L2 entries need qcow2 clusters of at least 16384 bytes, not " +
                           std::to_string(options.cluster_size));
    }
    return {};
}

Result<void> check_base(const CreateOptions& options) {
    if (!options.backing_file) {
        if (options.backing_format)
            return invalid("a backing format was given, but no backing file");
        return {};
    }
    const std::string& name = *options.backing_file;
    SFG_TRY(check_base_names(name, options.backing_format));
    if (encoded_header_size(options) > options.cluster_size) {
        return unsupported("the name of the backing file, of " + std::to_string(name.size()) +
                           " bytes, does not fit a qcow2 header with clusters of " +
                           std::to_string(options.cluster_size) + " bytes");
    }
    // Preallocated clusters would hide the base, unless each subcluster can say that it is
    // unallocated (section "Extended L2 Entries").
    if (options.preallocation != Preallocation::off && !options.extended_l2) {
        return unsupported(
            "preallocation of a qcow2 image with a backing file needs extended L2 entries");
    }
    return {};
}

Result<void> check_size(const CreateOptions& options) {
    if (options.virtual_size % kSector != 0) {
        return invalid("the size of a qcow2 image is a multiple of 512 bytes, and " +
                       std::to_string(options.virtual_size) + " is not");
    }
    const std::string clusters =
        " with clusters of " + std::to_string(options.cluster_size) + " bytes";
    const std::uint64_t limit = geometry_of(options).max_virtual_size();
    if (options.virtual_size > limit) {
        return unsupported("a qcow2 image" + clusters + " has at most " + std::to_string(limit) +
                           " bytes, not " + std::to_string(options.virtual_size));
    }
    // Only with preallocation can a new file become too long for its own tables.
    const ImagePlan plan = plan_of(options);
    const std::uint64_t table_bytes = plan.refcounts.table_clusters << plan.geometry.cluster_bits;
    if (table_bytes > kMaxRefcountTableBytes || plan.file_length() > kMaxHostOffset) {
        return unsupported("a qcow2 image of " + std::to_string(options.virtual_size) + " bytes" +
                           clusters + " is too large to be preallocated");
    }
    return {};
}

Result<void> write_metadata(StreamWriter& out, const CreateOptions& options,
                            const ImagePlan& plan) {
    const std::uint64_t cluster_size = plan.geometry.cluster_size();

    SFG_TRY(out.append(encode_header(options, plan)));

    SFG_TRY(out.skip_to(plan.refcount_table_offset()));
    for (std::uint64_t i = 0; i < plan.refcounts.blocks; ++i)
        SFG_TRY(out.append_be<std::uint64_t>(plan.refcount_blocks_offset() + i * cluster_size));

    // The blocks follow each other, so the refcounts of all clusters are one array. Everything is
    // used once, and what is behind the end of the file is not used.
    static_assert(kDefaultRefcountOrder == 4, "refcounts are written with 16 bits");
    SFG_TRY(out.skip_to(plan.refcount_blocks_offset()));
    for (std::uint64_t i = 0; i < plan.total_clusters(); ++i)
        SFG_TRY(out.append_be<std::uint16_t>(1));

    SFG_TRY(out.skip_to(plan.l1_offset()));
    for (std::uint64_t i = 0; i < plan.l2_tables; ++i)
        SFG_TRY(out.append_be<std::uint64_t>((plan.l2_offset() + i * cluster_size) | kCopied));

    // Guest clusters map to the data area one after another, so the L2 tables are one array too.
    SFG_TRY(out.skip_to(plan.l2_offset()));
    for (std::uint64_t i = 0; i < plan.data_clusters; ++i) {
        SFG_TRY(out.append_be<std::uint64_t>((plan.data_offset() + i * cluster_size) | kCopied));
        // All subclusters unallocated, as qemu preallocates: a base shows through, and where
        // there is none zeros are read without asking the file.
        if (plan.geometry.extended_l2) SFG_TRY(out.append_be<std::uint64_t>(0));
    }

    SFG_TRY(out.skip_to(plan.data_offset()));
    return out.flush();
}

}  // namespace

Result<void> check_options(const CreateOptions& options) {
    SFG_TRY(check_version(options));
    SFG_TRY(check_cluster_size(options));
    SFG_TRY(check_base(options));
    return check_size(options);
}

std::uint64_t max_virtual_size(std::uint64_t cluster_size, bool extended_l2) {
    CreateOptions options;
    options.cluster_size = cluster_size;
    options.extended_l2 = extended_l2;
    if (!check_cluster_size(options)) return 0;
    return geometry_of(options).max_virtual_size();
}

std::uint64_t file_length(const CreateOptions& options) {
    return plan_of(options).file_length();
}

std::uint64_t metadata_size(const CreateOptions& options) {
    return plan_of(options).data_offset();
}

Result<void> create(ByteSource& file, const CreateOptions& options) {
    SFG_TRY(check_options(options));
    const ImagePlan plan = plan_of(options);
    const std::uint64_t length = plan.file_length();

    // Space is reserved before anything is written, so that a full brick is found out at once.
    Preallocation preallocation = options.preallocation;
    bool has_length = false;
    if (preallocation == Preallocation::falloc) {
        if (auto reserved = file.allocate(0, length); reserved) {
            has_length = true;
        } else if (reserved.error().kind() == ErrorKind::unsupported) {
            preallocation = Preallocation::full;  // as posix_fallocate() does it
        } else {
            return reserved;
        }
    }

    StreamWriter out(file);
    SFG_TRY(write_metadata(out, options, plan));
    if (preallocation == Preallocation::full) {
        SFG_TRY(write_zeros(file, plan.data_offset(), length));
        has_length = has_length || plan.data_clusters != 0;
    }
    // qemu takes a file that ends inside a cluster of metadata or data for damaged where the
    // storage gives short reads for errors, as its gluster driver does.
    if (!has_length && out.written_end() < length) SFG_TRY(file.resize(length));
    return {};
}

}  // namespace sfg::qcow2
