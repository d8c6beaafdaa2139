// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/header_writer.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/extension_writer.hpp"
#include "driver/qcow2/layout.hpp"

namespace sfg::qcow2 {

namespace {

struct FeatureName {
    std::uint8_t type;
    std::uint8_t bit;
    std::string_view name;
};

// Section "Feature name table". The words are those that qemu writes (block/qcow2.c,
// qcow2_update_header), so that every program names a feature alike.
constexpr std::array kFeatureNames = {
    FeatureName{kFeatureIncompatible, incompatible::kDirtyBit, "dirty bit"},
    FeatureName{kFeatureIncompatible, incompatible::kCorruptBit, "corrupt bit"},
    FeatureName{kFeatureIncompatible, incompatible::kExternalDataFileBit, "external data file"},
    FeatureName{kFeatureIncompatible, incompatible::kCompressionTypeBit, "compression type"},
    FeatureName{kFeatureIncompatible, incompatible::kExtendedL2Bit, "extended L2 entries"},
    FeatureName{kFeatureCompatible, compatible::kLazyRefcountsBit, "lazy refcounts"},
    FeatureName{kFeatureAutoclear, autoclear::kBitmapsBit, "bitmaps"},
    FeatureName{kFeatureAutoclear, autoclear::kRawExternalDataBit, "raw external data"},
};

// The table takes 392 bytes, which leaves no room for a base's name in the smallest clusters.
// qemu leaves it out up to 4 KiB; so does this.
constexpr std::uint32_t kMaxClusterWithoutFeatureNames = 4096;

bool has_feature_names(const CreateOptions& options) {
    return options.version >= 3 && options.cluster_size > kMaxClusterWithoutFeatureNames;
}

std::uint32_t fixed_length(const CreateOptions& options) {
    return options.version >= 3 ? kHeaderLengthV3Written : kHeaderLengthV2;
}

}  // namespace

std::uint64_t encoded_header_size(const CreateOptions& options) {
    std::uint64_t size = fixed_length(options);
    if (options.backing_format) size += extension_size(options.backing_format->size());
    if (has_feature_names(options)) size += extension_size(kFeatureNames.size() * kFeatureEntry);
    size += extension_size(0);  // the end mark
    if (options.backing_file) size += options.backing_file->size();
    return size;
}

std::vector<std::byte> encode_header(const CreateOptions& options, const ImagePlan& plan) {
    std::vector<std::byte> out(fixed_length(options));

    store_be<std::uint32_t>(out, field::kMagic, kMagic);
    store_be<std::uint32_t>(out, field::kVersion, static_cast<std::uint32_t>(options.version));
    store_be<std::uint32_t>(out, field::kClusterBits, plan.geometry.cluster_bits);
    store_be<std::uint64_t>(out, field::kSize, options.virtual_size);
    store_be<std::uint32_t>(out, field::kCryptMethod, kCryptNone);
    store_be<std::uint32_t>(out, field::kL1Size, static_cast<std::uint32_t>(plan.l1_entries));
    // An image of size 0 has no L1 table, and an offset of 0 says so as qemu's images do.
    store_be<std::uint64_t>(out, field::kL1TableOffset,
                            plan.l1_entries != 0 ? plan.l1_offset() : 0);
    store_be<std::uint64_t>(out, field::kRefcountTableOffset, plan.refcount_table_offset());
    store_be<std::uint32_t>(out, field::kRefcountTableClusters,
                            static_cast<std::uint32_t>(plan.refcounts.table_clusters));
    if (options.version >= 3) {
        store_be<std::uint64_t>(out, field::kIncompatibleFeatures,
                                options.extended_l2 ? incompatible::kExtendedL2 : 0);
        store_be<std::uint64_t>(out, field::kCompatibleFeatures,
                                options.lazy_refcounts ? compatible::kLazyRefcounts : 0);
        store_be<std::uint32_t>(out, field::kRefcountOrder, plan.geometry.refcount_order);
        store_be<std::uint32_t>(out, field::kHeaderLength, fixed_length(options));
    }

    if (options.backing_format) {
        add_extension(out, extension::kBackingFormat, bytes_of(*options.backing_format));
    }
    if (has_feature_names(options)) {
        std::span<std::byte> table =
            add_extension(out, extension::kFeatureNameTable, kFeatureNames.size() * kFeatureEntry);
        for (const FeatureName& feature : kFeatureNames) {
            table[0] = std::byte{feature.type};
            table[1] = std::byte{feature.bit};
            const auto name = bytes_of(feature.name);
            std::copy(name.begin(), name.end(), table.begin() + 2);
            table = table.subspan(kFeatureEntry);
        }
    }
    add_extension(out, extension::kEnd, 0);

    if (options.backing_file) {
        const std::string& name = *options.backing_file;
        store_be<std::uint64_t>(out, field::kBackingFileOffset, out.size());
        store_be<std::uint32_t>(out, field::kBackingFileSize,
                                static_cast<std::uint32_t>(name.size()));
        const auto bytes = bytes_of(name);
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
}

}  // namespace sfg::qcow2
