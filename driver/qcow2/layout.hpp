// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>

// The numbers of the qcow2 format. Sections are those of qemu's docs/interop/qcow2.txt; limits
// that qemu adds to the format are marked so, since an image that qemu cannot open is of no use.
// All integers in an image are big-endian (section "General").
namespace sfg::qcow2 {

// Section "Header": "QFI\xfb".
inline constexpr std::uint32_t kMagic = 0x514649fb;

// Section "Header": offsets of the fields in the file, in bytes.
namespace field {
inline constexpr std::size_t kMagic = 0;                   // u32
inline constexpr std::size_t kVersion = 4;                 // u32
inline constexpr std::size_t kBackingFileOffset = 8;       // u64
inline constexpr std::size_t kBackingFileSize = 16;        // u32
inline constexpr std::size_t kClusterBits = 20;            // u32
inline constexpr std::size_t kSize = 24;                   // u64
inline constexpr std::size_t kCryptMethod = 32;            // u32
inline constexpr std::size_t kL1Size = 36;                 // u32
inline constexpr std::size_t kL1TableOffset = 40;          // u64
inline constexpr std::size_t kRefcountTableOffset = 48;    // u64
inline constexpr std::size_t kRefcountTableClusters = 56;  // u32
inline constexpr std::size_t kSnapshotCount = 60;          // u32
inline constexpr std::size_t kSnapshotsOffset = 64;        // u64
inline constexpr std::size_t kIncompatibleFeatures = 72;   // u64, from here on version 3
inline constexpr std::size_t kCompatibleFeatures = 80;     // u64
inline constexpr std::size_t kAutoclearFeatures = 88;      // u64
inline constexpr std::size_t kRefcountOrder = 96;          // u32
inline constexpr std::size_t kHeaderLength = 100;          // u32
inline constexpr std::size_t kCompressionType = 104;       // u8, "Additional fields"
}  // namespace field

// Section "Header": lengths in bytes. A version 3 header written here has the compression type
// and its padding, as qemu writes it.
inline constexpr std::uint32_t kHeaderLengthV2 = 72;
inline constexpr std::uint32_t kHeaderLengthV3Min = 104;
inline constexpr std::uint32_t kHeaderLengthV3Written = 112;
inline constexpr std::uint32_t kHeaderLengthUnit = 8;

// Section "Header": cluster_bits. The upper bound is qemu's.
inline constexpr std::uint32_t kMinClusterBits = 9;
inline constexpr std::uint32_t kMaxClusterBits = 21;
inline constexpr std::uint32_t kMinClusterBitsExtendedL2 = 14;

// Section "Header": backing_file_size, in bytes.
inline constexpr std::uint32_t kMaxBackingName = 1023;

// qemu keeps the name of the backing format in 16 bytes, with a NUL behind it (block_int-common.h).
inline constexpr std::uint32_t kMaxBackingFormat = 15;

// qemu opens no longer names either (PATH_MAX there); names of bases set the measure here.
inline constexpr std::uint32_t kMaxDataFileName = 1023;

// Section "Header", notes at size and "Host cluster management": qemu's limits, in bytes.
inline constexpr std::uint64_t kMaxL1TableBytes = std::uint64_t{32} << 20;
inline constexpr std::uint64_t kMaxRefcountTableBytes = std::uint64_t{8} << 20;

// qemu's QCOW_MAX_SNAPSHOTS; an entry of the snapshot table has at least 40 bytes ("Snapshots").
inline constexpr std::uint32_t kMaxSnapshots = 65536;
inline constexpr std::uint64_t kMinSnapshotEntry = 40;

// Offsets have to fit a signed 64-bit integer, which is what system calls and qemu take.
inline constexpr std::uint64_t kMaxFileOffset = (std::uint64_t{1} << 63) - 1;

// Section "Cluster mapping": L1 and L2 entries have 56 bits for a host offset.
inline constexpr std::uint64_t kMaxHostOffset = (std::uint64_t{1} << 56) - 1;

// Section "Cluster mapping": entries of the tables, in bytes, and their bit 63.
inline constexpr std::uint64_t kL1EntrySize = 8;
inline constexpr std::uint64_t kL2EntrySize = 8;
inline constexpr std::uint64_t kExtendedL2EntrySize = 16;  // section "Extended L2 Entries"
inline constexpr std::uint64_t kRefcountTableEntrySize = 8;
inline constexpr std::uint64_t kCopied = std::uint64_t{1} << 63;

// Section "Header": refcount_order. Version 2 always has order 4, 16 bits.
inline constexpr std::uint32_t kDefaultRefcountOrder = 4;
inline constexpr std::uint32_t kMaxRefcountOrder = 6;

// Section "Header": crypt_method.
inline constexpr std::uint32_t kCryptNone = 0;
inline constexpr std::uint32_t kCryptAes = 1;
inline constexpr std::uint32_t kCryptLuks = 2;

// Section "Header": bits of incompatible_features.
namespace incompatible {
inline constexpr unsigned kDirtyBit = 0;
inline constexpr unsigned kCorruptBit = 1;
inline constexpr unsigned kExternalDataFileBit = 2;
inline constexpr unsigned kCompressionTypeBit = 3;
inline constexpr unsigned kExtendedL2Bit = 4;
inline constexpr std::uint64_t kDirty = 1u << kDirtyBit;
inline constexpr std::uint64_t kCorrupt = 1u << kCorruptBit;
inline constexpr std::uint64_t kExternalDataFile = 1u << kExternalDataFileBit;
inline constexpr std::uint64_t kCompressionType = 1u << kCompressionTypeBit;
inline constexpr std::uint64_t kExtendedL2 = 1u << kExtendedL2Bit;
inline constexpr std::uint64_t kKnown =
    kDirty | kCorrupt | kExternalDataFile | kCompressionType | kExtendedL2;
}  // namespace incompatible

// Section "Header": bits of compatible_features.
namespace compatible {
inline constexpr unsigned kLazyRefcountsBit = 0;
inline constexpr std::uint64_t kLazyRefcounts = 1u << kLazyRefcountsBit;
}  // namespace compatible

// Section "Header": bits of autoclear_features.
namespace autoclear {
inline constexpr unsigned kBitmapsBit = 0;
inline constexpr unsigned kRawExternalDataBit = 1;
inline constexpr std::uint64_t kBitmaps = 1u << kBitmapsBit;
inline constexpr std::uint64_t kRawExternalData = 1u << kRawExternalDataBit;
inline constexpr std::uint64_t kKnown = kBitmaps | kRawExternalData;
}  // namespace autoclear

// Section "Additional fields": values of compression_type.
inline constexpr std::uint8_t kCompressionZlib = 0;
inline constexpr std::uint8_t kCompressionZstd = 1;

// Section "Header extensions": type and length, 4 bytes each, then the data, padded to 8.
inline constexpr std::uint64_t kExtensionHeader = 8;
inline constexpr std::uint64_t kExtensionUnit = 8;
namespace extension {
inline constexpr std::uint32_t kEnd = 0;
inline constexpr std::uint32_t kBackingFormat = 0xe2792aca;
inline constexpr std::uint32_t kFeatureNameTable = 0x6803f857;
inline constexpr std::uint32_t kBitmaps = 0x23852875;
inline constexpr std::uint32_t kEncryptionHeader = 0x0537be77;
inline constexpr std::uint32_t kDataFileName = 0x44415441;
}  // namespace extension

// Section "Feature name table": an entry, in bytes, and the types of features in it.
inline constexpr std::uint64_t kFeatureEntry = 48;
inline constexpr std::uint64_t kFeatureNameLength = 46;
inline constexpr std::uint8_t kFeatureIncompatible = 0;
inline constexpr std::uint8_t kFeatureCompatible = 1;
inline constexpr std::uint8_t kFeatureAutoclear = 2;

// Section "Bitmaps extension": length of its data and offsets of its fields, in bytes.
inline constexpr std::uint64_t kBitmapsExtensionLength = 24;
inline constexpr std::size_t kBitmapsCount = 0;
inline constexpr std::size_t kBitmapsReserved = 4;
inline constexpr std::size_t kBitmapsDirectorySize = 8;
inline constexpr std::size_t kBitmapsDirectoryOffset = 16;
inline constexpr std::uint32_t kMaxBitmaps = 65535;  // qemu's

// Section "Full disk encryption header pointer": length of its data, in bytes.
inline constexpr std::uint64_t kEncryptionExtensionLength = 16;

}  // namespace sfg::qcow2
