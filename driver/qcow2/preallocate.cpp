// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/preallocate.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "driver/qcow2/image.hpp"
#include "driver/qcow2/l2_scan.hpp"
#include "driver/qcow2/layout.hpp"
#include "driver/qcow2/switchover.hpp"

namespace sfg::qcow2 {

namespace {

using Preallocation = CreateOptions::Preallocation;

// Calls `body` with each index in the L1 table that the disk uses, and how many entries of its L2
// table the disk uses.
template <typename Body>
Result<void> for_each_l2_table(const Image& image, Body body) {
    const Geometry& geometry = image.geometry();
    const std::uint64_t clusters = geometry.clusters(image.header().virtual_size);
    std::size_t l1_index = 0;
    for (std::uint64_t first = 0; first < clusters; first += geometry.l2_entries())
        SFG_TRY(body(l1_index++, std::min(geometry.l2_entries(), clusters - first)));
    return {};
}

bool is_unallocated(const L2Table& table, std::uint64_t index) {
    return table.entry(index) == 0 && table.bitmap(index) == 0;
}

// What is missing: L2 tables to write, anew or for the first time, and data clusters.
struct Missing {
    std::vector<std::uint64_t> replaced_l2_entries;
    std::uint64_t l2_tables = 0;
    std::uint64_t data_clusters = 0;
};

Result<Missing> find_missing(Image& image, const std::vector<std::uint64_t>& l1) {
    Missing missing;
    L2Table table(image.geometry());
    const auto look = [&](std::size_t l1_index, std::uint64_t entries) -> Result<void> {
        std::uint64_t unallocated = entries;
        if (l1[l1_index] != 0) {
            SFG_TRY(table.load(image, l1[l1_index]));
            unallocated = 0;
            for (std::uint64_t i = 0; i < entries; ++i)
                if (is_unallocated(table, i)) ++unallocated;
            if (unallocated == 0) return {};
            missing.replaced_l2_entries.push_back(l1[l1_index]);
        }
        ++missing.l2_tables;
        missing.data_clusters += unallocated;
        return {};
    };
    SFG_TRY(for_each_l2_table(image, look));
    return missing;
}

Error changed_meanwhile() {
    return Error(ErrorKind::busy, "somebody else changed the image meanwhile");
}

// Writes the L2 tables to the front of the new clusters and points them to those behind.
Result<void> write_l2_tables(Image& image, Switchover& switchover, const Missing& missing,
                             std::vector<std::uint64_t>& l1) {
    const std::uint64_t cluster_size = image.geometry().cluster_size();
    std::uint64_t next_table = switchover.content_offset();
    const std::uint64_t data = next_table + missing.l2_tables * cluster_size;
    const std::uint64_t data_end = data + missing.data_clusters * cluster_size;
    std::uint64_t next_data = data;
    L2Table table(image.geometry());
    const auto write = [&](std::size_t l1_index, std::uint64_t entries) -> Result<void> {
        SFG_TRY(table.load(image, l1[l1_index]));
        const std::uint64_t before = next_data;
        for (std::uint64_t i = 0; i < entries; ++i) {
            if (!is_unallocated(table, i)) continue;
            if (next_data == data_end) return changed_meanwhile();
            table.set(i, next_data);
            next_data += cluster_size;
        }
        if (next_data == before) return {};
        SFG_TRY(switchover.out().append(table.bytes()));
        l1[l1_index] = next_table | kCopied;
        next_table += cluster_size;
        return {};
    };
    SFG_TRY(switchover.out().skip_to(next_table));
    SFG_TRY(for_each_l2_table(image, write));
    if (next_data != data_end || next_table != data) return changed_meanwhile();
    return {};
}

}  // namespace

Result<void> preallocate(ByteSource& file, Preallocation mode) {
    if (mode == Preallocation::off) return {};
    SFG_TRY_ASSIGN(Image image, Image::open(file));
    const Header& header = image.header();
    if (header.backing_file && !header.extended_l2()) {
        return Error(
            ErrorKind::unsupported,
            "preallocation of a qcow2 image with a backing file needs extended L2 entries");
    }
    SFG_TRY_ASSIGN(auto l1, image.read_l1(0, header.l1_size));
    SFG_TRY(check_l2_tables_differ(l1));
    SFG_TRY_ASSIGN(const Missing missing, find_missing(image, l1));
    if (missing.data_clusters == 0) return image.pad();

    Switchover switchover(image);
    SFG_TRY(switchover.begin());
    for (const std::uint64_t entry : missing.replaced_l2_entries) {
        SFG_TRY_ASSIGN(const std::uint64_t offset, image.l2_offset(entry));
        switchover.release(offset);
    }
    SFG_TRY(switchover.place(missing.l2_tables + missing.data_clusters, l1.size()));

    // Storage is reserved before anything is written, so that a full brick is found out at once.
    bool write_data = mode == Preallocation::full;
    bool reserved = false;
    if (mode == Preallocation::falloc) {
        const auto extended = switchover.extend(true);
        reserved = extended.has_value();
        write_data = !reserved;  // as posix_fallocate() does it
        if (!reserved && extended.error().kind() != ErrorKind::unsupported) return extended;
    }
    if (!reserved) SFG_TRY(switchover.extend(false));

    SFG_TRY(write_l2_tables(image, switchover, missing, l1));
    if (write_data) {
        const std::uint64_t data =
            switchover.content_offset() + (missing.l2_tables << image.geometry().cluster_bits);
        SFG_TRY(write_zeros(file, data,
                            data + (missing.data_clusters << image.geometry().cluster_bits)));
    }
    return switchover.commit(header.virtual_size, l1);
}

}  // namespace sfg::qcow2
