// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/snapshots.hpp"

#include <string>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/geometry.hpp"
#include "driver/qcow2/header_bytes.hpp"
#include "driver/qcow2/layout.hpp"

namespace sfg::qcow2 {

namespace {

// Section "Snapshots": offsets in an entry, in bytes, and how much extra data has the disk's size.
constexpr std::size_t kIdLength = 12;         // u16
constexpr std::size_t kNameLength = 14;       // u16
constexpr std::size_t kExtraDataLength = 36;  // u32
constexpr std::uint32_t kExtraDataWithSize = 16;
constexpr std::uint64_t kEntryUnit = 8;

constexpr std::uint64_t kMaxTable = std::uint64_t{64} << 20;  // qemu's QCOW_MAX_SNAPSHOTS_SIZE

}  // namespace

Result<void> check_snapshots_know_their_size(ByteSource& file, const Header& header) {
    if (header.snapshot_count == 0) return {};
    if (header.version < 3) {
        return Error(ErrorKind::unsupported,
                     "an image of qcow2 version 2 (compat 0.10) with internal snapshots cannot be "
                     "resized: delete them, or convert it with `qemu-img amend -o compat=1.1`");
    }
    const ReadMore read_more = [&file](std::uint64_t offset, std::span<std::byte> buffer) {
        return file.read_at(offset, buffer);
    };
    HeaderBytes bytes({}, read_more);
    std::uint64_t at = header.snapshots_offset;
    for (std::uint32_t i = 0; i < header.snapshot_count; ++i) {
        if (at - header.snapshots_offset > kMaxTable) {
            return Error(ErrorKind::corrupt,
                         "the table of internal snapshots is larger than 64 MiB");
        }
        const auto entry = bytes.get(at, kMinSnapshotEntry);
        if (!entry) {
            return entry.error().kind() == ErrorKind::corrupt
                       ? Error(ErrorKind::corrupt,
                               "the file ends inside its table of internal snapshots")
                       : entry.error();
        }
        const std::uint32_t extra = load_be<std::uint32_t>(*entry, kExtraDataLength);
        if (extra < kExtraDataWithSize) {
            return Error(ErrorKind::unsupported,
                         "an internal snapshot does not say how large the disk was, so the image "
                         "cannot be resized: `qemu-img check -r all` adds that, or delete it");
        }
        const std::uint64_t length = kMinSnapshotEntry + extra +
                                     load_be<std::uint16_t>(*entry, kIdLength) +
                                     load_be<std::uint16_t>(*entry, kNameLength);
        at += divide_up(length, kEntryUnit) * kEntryUnit;
    }
    return {};
}

}  // namespace sfg::qcow2
