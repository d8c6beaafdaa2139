// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/l2_scan.hpp"

#include <algorithm>
#include <string>

#include "driver/core/big_endian.hpp"

namespace sfg::qcow2 {

L2Table::L2Table(const Geometry& geometry)
    : geometry_(geometry), bytes_(static_cast<std::size_t>(geometry.cluster_size())) {}

Result<void> L2Table::load(Image& image, std::uint64_t l1_entry) {
    if (l1_entry == 0) {
        std::fill(bytes_.begin(), bytes_.end(), std::byte{0});
        return {};
    }
    SFG_TRY_ASSIGN(const std::uint64_t offset, image.l2_offset(l1_entry));
    return image.read_cluster(offset, bytes_);
}

std::uint64_t L2Table::entry(std::uint64_t index) const {
    return load_be<std::uint64_t>(bytes_,
                                  static_cast<std::size_t>(index * geometry_.l2_entry_size()));
}

std::uint64_t L2Table::bitmap(std::uint64_t index) const {
    if (!geometry_.extended_l2) return 0;
    return load_be<std::uint64_t>(
        bytes_, static_cast<std::size_t>(index * kExtendedL2EntrySize + kL2EntrySize));
}

void L2Table::set(std::uint64_t index, std::uint64_t host_offset) {
    store_be<std::uint64_t>(bytes_, static_cast<std::size_t>(index * geometry_.l2_entry_size()),
                            host_offset | kCopied);
}

Result<void> check_l2_tables_differ(const std::vector<std::uint64_t>& l1) {
    std::vector<std::uint64_t> offsets;
    for (const std::uint64_t entry : l1)
        if (entry != 0) offsets.push_back(entry & kEntryOffset);
    std::sort(offsets.begin(), offsets.end());
    const auto twice = std::adjacent_find(offsets.begin(), offsets.end());
    if (twice == offsets.end()) return {};
    return Error(ErrorKind::corrupt,
                 "the L1 table has the L2 table at byte " + std::to_string(*twice) + " twice");
}

Result<std::optional<std::uint64_t>> find_allocated(Image& image,
                                                    const std::vector<std::uint64_t>& l1,
                                                    std::uint64_t l1_first, std::uint64_t first,
                                                    std::uint64_t end) {
    SFG_TRY(check_l2_tables_differ(l1));
    const Geometry& geometry = image.geometry();
    const std::uint64_t per_table = geometry.l2_entries();
    L2Table table(geometry);
    for (std::size_t i = 0; i < l1.size(); ++i) {
        const std::uint64_t base = (l1_first + i) * per_table;
        if (base >= end) break;
        if (l1[i] == 0 || base + per_table <= first) continue;
        SFG_TRY(table.load(image, l1[i]));
        for (std::uint64_t j = first > base ? first - base : 0; j < std::min(per_table, end - base);
             ++j) {
            if (takes_space(table.entry(j), table.bitmap(j), geometry))
                return std::optional(base + j);
        }
    }
    return std::optional<std::uint64_t>();
}

}  // namespace sfg::qcow2
