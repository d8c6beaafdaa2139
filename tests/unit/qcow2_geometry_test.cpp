// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include "driver/qcow2/geometry.hpp"

namespace sfg::qcow2 {

TEST(Qcow2GeometryTest, CountsAreThoseOfTheFormat) {
    Geometry geometry;
    geometry.cluster_bits = 16;
    EXPECT_EQ(geometry.l2_entries(), 8192u);
    EXPECT_EQ(geometry.bytes_per_l2_table(), std::uint64_t{512} << 20);
    EXPECT_EQ(geometry.refcounts_per_block(), 32768u);
    EXPECT_EQ(geometry.max_virtual_size(), std::uint64_t{1} << 51);
    geometry.extended_l2 = true;
    EXPECT_EQ(geometry.l2_entries(), 4096u);
    EXPECT_EQ(geometry.max_virtual_size(), std::uint64_t{1} << 50);
}

// The notes of section "Header": 2 EiB with the largest clusters, 128 GiB with the smallest.
TEST(Qcow2GeometryTest, TheLargestSizesAreThoseThatTheSpecificationNames) {
    Geometry geometry;
    geometry.cluster_bits = 21;
    EXPECT_EQ(geometry.max_virtual_size(), std::uint64_t{1} << 61);
    geometry.cluster_bits = 9;
    EXPECT_EQ(geometry.max_virtual_size(), std::uint64_t{1} << 37);
}

TEST(Qcow2GeometryTest, ASizeIsRoundedUpToWholeTables) {
    const Geometry geometry;
    EXPECT_EQ(geometry.l1_entries(0), 0u);
    EXPECT_EQ(geometry.l1_entries(512), 1u);
    EXPECT_EQ(geometry.l1_entries(std::uint64_t{512} << 20), 1u);
    EXPECT_EQ(geometry.l1_entries((std::uint64_t{512} << 20) + 512), 2u);
    EXPECT_EQ(geometry.clusters(1), 1u);
    EXPECT_EQ(geometry.clusters(65536), 1u);
    EXPECT_EQ(geometry.clusters(65537), 2u);
}

TEST(Qcow2GeometryTest, RefcountsCountThemselvesAndNotMore) {
    for (std::uint32_t bits = kMinClusterBits; bits <= kMaxClusterBits; ++bits) {
        for (std::uint32_t order = 0; order <= kMaxRefcountOrder; ++order) {
            Geometry geometry;
            geometry.cluster_bits = bits;
            geometry.refcount_order = order;
            const std::uint64_t block = geometry.refcounts_per_block();
            for (std::uint64_t around :
                 {std::uint64_t{2}, block, 2 * block, 100 * block,
                  block * geometry.refcount_blocks_per_table_cluster(), std::uint64_t{1} << 40}) {
                for (std::uint64_t others = around - 2; others <= around + 2; ++others) {
                    const RefcountArea area = refcount_area(geometry, others);
                    const std::uint64_t all = others + area.blocks + area.table_clusters;
                    ASSERT_GE(area.blocks * block, all);
                    ASSERT_GE(area.table_clusters * geometry.refcount_blocks_per_table_cluster(),
                              area.blocks);
                    if (area.blocks > 1) {
                        ASSERT_LT((area.blocks - 1) * block, all - 1) << "a block too many";
                    }
                }
            }
        }
    }
}

TEST(Qcow2GeometryTest, APlanHasNoGaps) {
    Geometry geometry;
    geometry.cluster_bits = 9;
    const ImagePlan plan = plan_image(geometry, std::uint64_t{1} << 30, true);
    EXPECT_EQ(plan.refcount_table_offset(), 512u);
    EXPECT_EQ(plan.refcount_blocks_offset(), 512 * (1 + plan.refcounts.table_clusters));
    EXPECT_EQ(plan.l1_offset(), plan.refcount_blocks_offset() + 512 * plan.refcounts.blocks);
    EXPECT_EQ(plan.l2_tables, 32768u);
    EXPECT_EQ(plan.l1_clusters, 512u);
    EXPECT_EQ(plan.data_clusters, 2097152u);
    EXPECT_EQ(plan.file_length(), 512 * plan.total_clusters());
}

TEST(Qcow2GeometryTest, WithoutPreallocationThereAreNoL2TablesAndNoData) {
    const ImagePlan plan = plan_image(Geometry{}, std::uint64_t{1} << 40, false);
    EXPECT_EQ(plan.l2_tables, 0u);
    EXPECT_EQ(plan.data_clusters, 0u);
    EXPECT_EQ(plan.total_clusters(), 4u);
}

}  // namespace sfg::qcow2
