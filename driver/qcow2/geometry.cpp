// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/geometry.hpp"

namespace sfg::qcow2 {

RefcountArea refcount_area(const Geometry& geometry, std::uint64_t other_clusters) {
    // Refcounts count the clusters they stand in too, so more blocks may need more blocks. Each
    // round adds clusters for what the last one added, which is a small part of it: a block counts
    // 64 clusters or more. It ends where nothing is added.
    RefcountArea area;
    while (true) {
        const std::uint64_t all = other_clusters + area.table_clusters + area.blocks;
        RefcountArea needed;
        needed.blocks = divide_up(all, geometry.refcounts_per_block());
        needed.table_clusters =
            divide_up(needed.blocks, geometry.refcount_blocks_per_table_cluster());
        if (needed == area) return area;
        area = needed;
    }
}

ImagePlan plan_image(const Geometry& geometry, std::uint64_t virtual_size, bool preallocate) {
    ImagePlan plan;
    plan.geometry = geometry;
    plan.l1_entries = geometry.l1_entries(virtual_size);
    plan.l1_clusters = geometry.clusters(plan.l1_entries * kL1EntrySize);
    if (preallocate) {
        plan.l2_tables = plan.l1_entries;
        plan.data_clusters = geometry.clusters(virtual_size);
    }
    constexpr std::uint64_t kHeaderClusters = 1;
    plan.refcounts = refcount_area(
        geometry, kHeaderClusters + plan.l1_clusters + plan.l2_tables + plan.data_clusters);
    return plan;
}

}  // namespace sfg::qcow2
