// SPDX-License-Identifier: LGPL-2.1-or-later
// libFuzzer target: whatever the bytes of an image are, reading its header ends, touches only
// them, and gives either a header within the format's limits or one short sentence.
//
// The last byte of the input is not part of the image: it says how much of the image is at hand
// before more is read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>

#include "driver/qcow2/geometry.hpp"
#include "driver/qcow2/header.hpp"
#include "driver/qcow2/layout.hpp"

namespace {

void require(bool condition) {
    if (!condition) std::abort();
}

void check(const sfg::qcow2::Header& header) {
    using namespace sfg::qcow2;
    require(header.version == 2 || header.version == 3);
    require(header.cluster_bits >= kMinClusterBits && header.cluster_bits <= kMaxClusterBits);
    require(header.refcount_order <= kMaxRefcountOrder);
    require(header.header_length <= header.cluster_size());
    require((header.incompatible_features & ~incompatible::kKnown) == 0);
    require(header.virtual_size <= std::uint64_t{1} << 61);
    for (std::uint64_t offset :
         {header.l1_table_offset, header.refcount_table_offset, header.snapshots_offset}) {
        require(offset % header.cluster_size() == 0);
        require(offset <= kMaxFileOffset);
    }
    require(header.l1_size * kL1EntrySize <= kMaxL1TableBytes);
    Geometry geometry;
    geometry.cluster_bits = header.cluster_bits;
    geometry.extended_l2 = header.extended_l2();
    require(header.l1_size >= geometry.l1_entries(header.virtual_size));
    for (const auto& [name, max] : {std::pair(header.backing_file, kMaxBackingName),
                                    std::pair(header.backing_format, kMaxBackingFormat),
                                    std::pair(header.external_data_file, kMaxDataFileName)}) {
        if (!name) continue;
        require(!name->empty() && name->size() <= max);
        require(name->find('\0') == std::string::npos);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto image = std::as_bytes(std::span(data, size - 1));
    const std::size_t at_hand = image.size() * data[size - 1] / 255;

    int reads = 0;
    auto read_more = [&](std::uint64_t offset,
                         std::span<std::byte> buffer) -> sfg::Result<std::size_t> {
        require(++reads <= 300);
        if (offset >= image.size()) return std::size_t{0};
        const std::size_t length = std::min<std::size_t>(buffer.size(), image.size() - offset);
        std::copy_n(image.begin() + static_cast<std::ptrdiff_t>(offset), length, buffer.begin());
        return length;
    };
    const auto header = sfg::qcow2::parse_header(image.first(at_hand), read_more);
    reads = 0;
    const auto claimed = sfg::qcow2::claimed_names(image.first(at_hand), read_more);
    for (const auto& name : claimed.data_files)
        require(name.size() <= 4096 && name.find('\0') == std::string::npos);
    if (header) {
        check(*header);
        // No name that is taken is overlooked.
        require(!header->backing_file || claimed.backing_file == header->backing_file);
        require(!header->external_data_file ||
                std::find(claimed.data_files.begin(), claimed.data_files.end(),
                          *header->external_data_file) != claimed.data_files.end());
    } else {
        require(!header.error().message().empty() && header.error().message().size() < 1200);
        // A file with the magic is never called something else.
        const bool recognisable = sfg::qcow2::has_magic(image);
        require(recognisable == (header.error().kind() != sfg::ErrorKind::invalid));
    }
    return 0;
}
