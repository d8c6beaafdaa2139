// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/header.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/geometry.hpp"
#include "driver/qcow2/header_bytes.hpp"
#include "driver/qcow2/header_extensions.hpp"
#include "driver/qcow2/layout.hpp"

namespace sfg::qcow2 {

namespace {

Result<void> check_version(std::uint32_t version) {
    if (version == 2 || version == 3) return {};
    return Error(ErrorKind::unsupported, "version " + std::to_string(version) +
                                             " of the qcow2 format is not supported, only 2 and 3");
}

// Reads the fields of both versions as they stand.
Result<Header> load_fields(HeaderBytes& bytes) {
    SFG_TRY_ASSIGN(const auto fixed, bytes.get(0, kHeaderLengthV2));
    Header header;
    header.version = load_be<std::uint32_t>(fixed, field::kVersion);
    SFG_TRY(check_version(header.version));
    header.backing_file_offset = load_be<std::uint64_t>(fixed, field::kBackingFileOffset);
    header.cluster_bits = load_be<std::uint32_t>(fixed, field::kClusterBits);
    header.virtual_size = load_be<std::uint64_t>(fixed, field::kSize);
    header.crypt_method = load_be<std::uint32_t>(fixed, field::kCryptMethod);
    header.l1_size = load_be<std::uint32_t>(fixed, field::kL1Size);
    header.l1_table_offset = load_be<std::uint64_t>(fixed, field::kL1TableOffset);
    header.refcount_table_offset = load_be<std::uint64_t>(fixed, field::kRefcountTableOffset);
    header.refcount_table_clusters = load_be<std::uint32_t>(fixed, field::kRefcountTableClusters);
    header.snapshot_count = load_be<std::uint32_t>(fixed, field::kSnapshotCount);
    header.snapshots_offset = load_be<std::uint64_t>(fixed, field::kSnapshotsOffset);
    // Section "Header": version 2 ends here and has fixed values for what follows.
    if (header.version == 2) return header;

    SFG_TRY_ASSIGN(const auto v3, bytes.get(0, kHeaderLengthV3Min));
    header.incompatible_features = load_be<std::uint64_t>(v3, field::kIncompatibleFeatures);
    header.compatible_features = load_be<std::uint64_t>(v3, field::kCompatibleFeatures);
    header.autoclear_features = load_be<std::uint64_t>(v3, field::kAutoclearFeatures);
    header.refcount_order = load_be<std::uint32_t>(v3, field::kRefcountOrder);
    header.header_length = load_be<std::uint32_t>(v3, field::kHeaderLength);
    return header;
}

// The fields that say how far the header reaches. What else it says can only be found, let alone
// trusted, when these are right.
Result<void> check_extent(const Header& header) {
    if (header.cluster_bits < kMinClusterBits || header.cluster_bits > kMaxClusterBits)
        return damaged("cluster_bits", header.cluster_bits, "which is not between 9 and 21");
    if (header.version >= 3) {
        if (header.header_length < kHeaderLengthV3Min)
            return damaged("header_length", header.header_length, "which is less than 104");
        if (header.header_length % kHeaderLengthUnit != 0)
            return damaged("header_length", header.header_length, "which is not a multiple of 8");
    }
    if (header.header_length > header.cluster_size())
        return damaged("header_length", header.header_length, "which is more than a cluster");
    if (header.backing_file_offset != 0) {
        if (header.backing_file_offset < header.header_length) {
            return damaged("backing_file_offset", header.backing_file_offset,
                           "which is inside the header");
        }
        if (header.backing_file_offset > header.cluster_size()) {
            return damaged("backing_file_offset", header.backing_file_offset,
                           "which is behind the first cluster");
        }
    }
    return {};
}

// Where the area of header extensions ends: at the base's name or with the cluster.
std::uint64_t extensions_end(const Header& header) {
    return header.backing_file_offset != 0 ? header.backing_file_offset : header.cluster_size();
}

Result<void> check_incompatible_features(const Header& header, HeaderBytes& bytes) {
    const std::uint64_t unknown = header.incompatible_features & ~incompatible::kKnown;
    if (unknown == 0) return {};
    // The names are a courtesy: damage in the way of them changes nothing about the answer.
    Extensions extensions;
    (void)extensions.read(bytes, header.header_length, extensions_end(header));
    return Error(ErrorKind::unsupported,
                 "the image needs qcow2 features that are not supported: " +
                     describe_features(unknown, kFeatureIncompatible, extensions, bytes));
}

// Section "Additional fields".
Result<void> load_compression_type(Header& header, HeaderBytes& bytes) {
    if (header.header_length > field::kCompressionType) {
        SFG_TRY_ASSIGN(const auto type, bytes.get(field::kCompressionType, 1));
        header.compression_type = std::to_integer<std::uint8_t>(type[0]);
    }
    const bool announced = (header.incompatible_features & incompatible::kCompressionType) != 0;
    if (announced && header.compression_type == kCompressionZlib) {
        return damaged("compression_type", 0,
                       "but the incompatible feature \"compression type\" is set");
    }
    if (!announced && header.compression_type != kCompressionZlib) {
        return damaged("compression_type", header.compression_type,
                       "but the incompatible feature \"compression type\" is not set");
    }
    if (header.compression_type > kCompressionZstd) {
        return Error(ErrorKind::unsupported, "compression type " +
                                                 std::to_string(header.compression_type) +
                                                 " of qcow2 is not supported, only zlib and zstd");
    }
    return {};
}

Result<void> check_features(const Header& header) {
    if (header.extended_l2() && header.cluster_bits < kMinClusterBitsExtendedL2) {
        return damaged("cluster_bits", header.cluster_bits,
                       "but extended L2 entries need at least 14");
    }
    if (header.external_data_is_raw()) {
        if (!header.has_external_data_file()) {
            return damaged("autoclear_features", header.autoclear_features,
                           "which asks for raw external data without an external data file");
        }
        if (header.backing_file_offset != 0) {
            return damaged("backing_file_offset", header.backing_file_offset,
                           "but an image with raw external data has no backing file");
        }
    }
    if (header.refcount_order > kMaxRefcountOrder)
        return damaged("refcount_order", header.refcount_order, "which is more than 6");
    if (header.crypt_method > kCryptLuks) {
        return Error(ErrorKind::unsupported, "encryption method " +
                                                 std::to_string(header.crypt_method) +
                                                 " of qcow2 is not supported, only AES and LUKS");
    }
    return {};
}

// A table that has `bytes` starts at `offset`: on a cluster boundary, and its end can be counted.
Result<void> check_table_offset(const Header& header, std::string_view name, std::uint64_t offset,
                                std::uint64_t bytes) {
    if (offset % header.cluster_size() != 0)
        return damaged(name, offset, "which is not on a cluster boundary");
    if (offset > kMaxFileOffset - bytes)
        return damaged(name, offset, "which is further than a file reaches");
    if (bytes != 0 && offset == 0) return damaged(name, 0, "which is where the header is");
    return {};
}

Result<void> check_tables(const Header& header) {
    if (header.refcount_table_clusters == 0) {
        return damaged("refcount_table_clusters", 0, "so there is no refcount table");
    }
    if (header.refcount_table_clusters > kMaxRefcountTableBytes / header.cluster_size()) {
        return damaged("refcount_table_clusters", header.refcount_table_clusters,
                       "which is more than 8 MiB");
    }
    SFG_TRY(check_table_offset(header, "refcount_table_offset", header.refcount_table_offset,
                               header.refcount_table_clusters * header.cluster_size()));

    if (header.snapshot_count > kMaxSnapshots)
        return damaged("nb_snapshots", header.snapshot_count, "which is more than 65536");
    SFG_TRY(check_table_offset(header, "snapshots_offset", header.snapshots_offset,
                               header.snapshot_count * kMinSnapshotEntry));

    if (header.l1_size > kMaxL1TableBytes / kL1EntrySize)
        return damaged("l1_size", header.l1_size, "which is more than 32 MiB of entries");
    SFG_TRY(check_table_offset(header, "l1_table_offset", header.l1_table_offset,
                               header.l1_size * kL1EntrySize));

    // This bounds the virtual size too, by what an L1 table of 32 MiB can map.
    Geometry geometry;
    geometry.cluster_bits = header.cluster_bits;
    geometry.extended_l2 = header.extended_l2();
    const std::uint64_t needed = geometry.l1_entries(header.virtual_size);
    if (header.l1_size < needed) {
        return damaged("l1_size", header.l1_size,
                       "but a virtual size of " + std::to_string(header.virtual_size) +
                           " bytes needs " + std::to_string(needed) + " entries");
    }
    return {};
}

Result<void> load_extensions(Header& header, HeaderBytes& bytes) {
    Extensions extensions;
    SFG_TRY(extensions.read(bytes, header.header_length, extensions_end(header)));
    SFG_TRY_ASSIGN(header.backing_format, extensions.text(bytes, extension::kBackingFormat,
                                                          "backing format", kMaxBackingFormat));
    SFG_TRY_ASSIGN(header.external_data_file,
                   extensions.text(bytes, extension::kDataFileName, "external data file name",
                                   kMaxDataFileName));
    SFG_TRY(extensions.check_encryption(bytes, header.crypt_method, header.cluster_size()));

    // Section "Header": without its autoclear bit the extension says nothing that still holds.
    if ((header.autoclear_features & autoclear::kBitmaps) != 0) {
        if (!extensions.find(extension::kBitmaps)) {
            return damaged("autoclear_features", header.autoclear_features,
                           "which announces bitmaps, but there is no bitmaps extension");
        }
        SFG_TRY(extensions.check_bitmaps(bytes, header.cluster_size()));
        header.has_bitmaps = true;
    }
    return {};
}

Result<void> load_backing_file(Header& header, HeaderBytes& bytes) {
    if (header.backing_file_offset == 0) return {};
    SFG_TRY_ASSIGN(const auto size_bytes, bytes.get(field::kBackingFileSize, 4));
    const std::uint32_t length = load_be<std::uint32_t>(size_bytes, 0);
    if (length > kMaxBackingName)
        return damaged("backing_file_size", length, "which is more than 1023");
    if (length > header.cluster_size() - header.backing_file_offset) {
        return damaged("backing_file_size", length, "which reaches behind the first cluster");
    }
    if (length == 0) return {};  // qemu opens it as an image without a base
    SFG_TRY_ASSIGN(const auto name, bytes.get(header.backing_file_offset, length));
    std::string text = text_of(name);
    // A C program would take the part before a NUL for the name: nobody could be sure which file
    // is meant.
    if (text.find('\0') != std::string::npos) {
        return Error(ErrorKind::corrupt,
                     "the name of the backing file in the qcow2 header contains a NUL byte");
    }
    header.backing_file = std::move(text);
    return {};
}

}  // namespace

bool Header::dirty() const {
    return (incompatible_features & incompatible::kDirty) != 0;
}
bool Header::corrupt() const {
    return (incompatible_features & incompatible::kCorrupt) != 0;
}
bool Header::has_external_data_file() const {
    return (incompatible_features & incompatible::kExternalDataFile) != 0;
}
bool Header::external_data_is_raw() const {
    return (autoclear_features & autoclear::kRawExternalData) != 0;
}
bool Header::extended_l2() const {
    return (incompatible_features & incompatible::kExtendedL2) != 0;
}
bool Header::lazy_refcounts() const {
    return (compatible_features & compatible::kLazyRefcounts) != 0;
}

bool has_magic(std::span<const std::byte> start_of_file) {
    return start_of_file.size() >= 4 &&
           load_be<std::uint32_t>(start_of_file, field::kMagic) == kMagic;
}

std::optional<std::uint32_t> version_number(std::span<const std::byte> start_of_file) {
    if (!has_magic(start_of_file) || start_of_file.size() < 8) return std::nullopt;
    return load_be<std::uint32_t>(start_of_file, field::kVersion);
}

Result<Header> parse_header(std::span<const std::byte> start_of_file, const ReadMore& read_more) {
    HeaderBytes bytes(start_of_file, read_more);
    SFG_TRY_ASSIGN(const auto magic, bytes.get_some(0, 4));
    if (!has_magic(magic)) {
        return Error(ErrorKind::invalid,
                     "this is not a qcow2 image: it does not start with QFI and 0xfb");
    }
    // The version comes before the rest: an image of version 1 may be shorter than ours.
    SFG_TRY_ASSIGN(const auto version, bytes.get(field::kVersion, 4));
    SFG_TRY(check_version(load_be<std::uint32_t>(version, 0)));

    SFG_TRY_ASSIGN(Header header, load_fields(bytes));
    SFG_TRY(check_extent(header));
    SFG_TRY(check_incompatible_features(header, bytes));
    SFG_TRY(load_compression_type(header, bytes));
    SFG_TRY(check_features(header));
    SFG_TRY(check_tables(header));
    SFG_TRY(load_extensions(header, bytes));
    SFG_TRY(load_backing_file(header, bytes));
    return header;
}

ClaimedNames claimed_names(std::span<const std::byte> start_of_file, const ReadMore& read_more) {
    ClaimedNames claimed;
    HeaderBytes bytes(start_of_file, read_more);
    // The name of that many bytes there; nothing where it cannot be read.
    auto name_at = [&](std::uint64_t offset, std::uint32_t length) {
        std::optional<std::string> name;
        if (const auto data = bytes.get(offset, length)) {
            name = text_of(*data);
            name->resize(std::min(name->size(), name->find('\0')));
        }
        return name;
    };
    const auto fixed = bytes.get(0, kHeaderLengthV2);
    if (!fixed || !has_magic(*fixed)) return claimed;
    const auto version = load_be<std::uint32_t>(*fixed, field::kVersion);
    const auto backing_offset = load_be<std::uint64_t>(*fixed, field::kBackingFileOffset);
    const auto backing_size = load_be<std::uint32_t>(*fixed, field::kBackingFileSize);
    const std::uint64_t cluster = std::uint64_t{1}
                                  << std::min(load_be<std::uint32_t>(*fixed, field::kClusterBits),
                                              kMaxClusterBits);
    if (backing_offset != 0 && backing_offset <= kMaxFileOffset && backing_size != 0 &&
        backing_size <= HeaderBytes::kWindow) {
        claimed.backing_file = name_at(backing_offset, backing_size);
        if (claimed.backing_file == "") claimed.backing_file.reset();
    }

    std::uint64_t at = kHeaderLengthV2;
    if (version >= 3) {
        const auto length = bytes.get(field::kHeaderLength, 4);
        if (!length) return claimed;
        at = std::max<std::uint64_t>(load_be<std::uint32_t>(*length, 0), kHeaderLengthV3Min);
    }
    const std::uint64_t end = std::max(cluster, std::uint64_t{1} << kMinClusterBits);
    for (unsigned i = 0; i < Extensions::kMaxCount && at < end; ++i) {
        const auto head = bytes.get(at, kExtensionHeader);
        if (!head) break;
        const auto type = load_be<std::uint32_t>(*head, 0);
        const auto length = load_be<std::uint32_t>(*head, 4);
        at += kExtensionHeader;
        if (type == extension::kEnd) break;
        if (type == extension::kDataFileName && length != 0)
            claimed.data_files.push_back(
                length > HeaderBytes::kWindow ? "" : name_at(at, length).value_or(""));
        at += divide_up(length, kExtensionUnit) * kExtensionUnit;
    }
    return claimed;
}

Result<Header> parse_header(std::span<const std::byte> start_of_file, ByteSource& file) {
    return parse_header(start_of_file, [&file](std::uint64_t offset, std::span<std::byte> buffer) {
        return file.read_at(offset, buffer);
    });
}

Result<Header> read_header(ByteSource& file) {
    return parse_header(std::span<const std::byte>(), file);
}

}  // namespace sfg::qcow2
