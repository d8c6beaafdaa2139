// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

#include "driver/qcow2/layout.hpp"

// How many clusters what takes: the arithmetic that making and growing an image share. Nothing
// here reads or writes. Arguments must be within the limits of the format; then no result
// overflows.
namespace sfg::qcow2 {

// `a / b`, rounded up.
constexpr std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
    return a / b + (a % b != 0 ? 1 : 0);
}

// The parameters of an image on which all counts depend.
struct Geometry {
    std::uint32_t cluster_bits = 16;
    bool extended_l2 = false;
    std::uint32_t refcount_order = kDefaultRefcountOrder;

    constexpr std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits; }

    // How many clusters `bytes` take.
    constexpr std::uint64_t clusters(std::uint64_t bytes) const {
        return divide_up(bytes, cluster_size());
    }

    // Section "Cluster mapping": an L2 table has one cluster.
    constexpr std::uint64_t l2_entry_size() const {
        return extended_l2 ? kExtendedL2EntrySize : kL2EntrySize;
    }
    constexpr std::uint64_t l2_entries() const { return cluster_size() / l2_entry_size(); }

    // How many guest bytes one L2 table maps; at most 2^39.
    constexpr std::uint64_t bytes_per_l2_table() const { return l2_entries() << cluster_bits; }

    // How many entries the L1 table needs for a disk of this size, which is how many L2 tables
    // map it when all are there.
    constexpr std::uint64_t l1_entries(std::uint64_t virtual_size) const {
        return divide_up(virtual_size, bytes_per_l2_table());
    }

    // The largest virtual size that an L1 table within qemu's limit maps; at most 2^61.
    constexpr std::uint64_t max_virtual_size() const {
        return kMaxL1TableBytes / kL1EntrySize * bytes_per_l2_table();
    }

    // Section "Host cluster management": a refcount block has one cluster.
    constexpr std::uint64_t refcounts_per_block() const {
        return (cluster_size() * 8) >> refcount_order;
    }
    constexpr std::uint64_t refcount_blocks_per_table_cluster() const {
        return cluster_size() / kRefcountTableEntrySize;
    }
};

// How many clusters the refcounts take.
struct RefcountArea {
    std::uint64_t table_clusters = 0;
    std::uint64_t blocks = 0;

    friend bool operator==(const RefcountArea&, const RefcountArea&) = default;
};

// The smallest refcount table and number of blocks that count `other_clusters` clusters and
// themselves. `other_clusters` is at most 2^50.
RefcountArea refcount_area(const Geometry& geometry, std::uint64_t other_clusters);

// Where what stands in a new image. All areas follow each other without a gap: header, refcount
// table, refcount blocks, L1 table, and with preallocation L2 tables and data. Offsets and
// lengths are in bytes and multiples of the cluster size, unless they say otherwise.
struct ImagePlan {
    Geometry geometry;
    RefcountArea refcounts;
    std::uint64_t l1_entries = 0;
    std::uint64_t l1_clusters = 0;
    std::uint64_t l2_tables = 0;      // 0 without preallocation
    std::uint64_t data_clusters = 0;  // 0 without preallocation

    std::uint64_t refcount_table_offset() const { return geometry.cluster_size(); }
    std::uint64_t refcount_blocks_offset() const {
        return (1 + refcounts.table_clusters) << geometry.cluster_bits;
    }
    std::uint64_t l1_offset() const {
        return (1 + refcounts.table_clusters + refcounts.blocks) << geometry.cluster_bits;
    }
    std::uint64_t l2_offset() const { return l1_offset() + (l1_clusters << geometry.cluster_bits); }
    std::uint64_t data_offset() const { return l2_offset() + (l2_tables << geometry.cluster_bits); }
    std::uint64_t file_length() const {
        return data_offset() + (data_clusters << geometry.cluster_bits);
    }
    std::uint64_t total_clusters() const { return file_length() >> geometry.cluster_bits; }
};

// The plan for an image of `virtual_size` bytes, at most geometry.max_virtual_size().
ImagePlan plan_image(const Geometry& geometry, std::uint64_t virtual_size, bool preallocate);

}  // namespace sfg::qcow2
