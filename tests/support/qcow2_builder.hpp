// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "tests/support/memory_store.hpp"

namespace sfg::test {

// An image as years of use leave it: tables, refcount blocks and data anywhere in the file, with
// free clusters between them.
struct Qcow2Recipe {
    std::uint32_t version = 3;
    std::uint32_t cluster_bits = 9;
    std::uint32_t refcount_order = 4;
    bool extended_l2 = false;
    std::uint64_t virtual_size = 0;         // bytes
    std::uint64_t used_size = 0;            // bytes: nothing is allocated behind them
    std::uint64_t l1_slack = 0;             // entries of the L1 table that are not needed
    std::uint64_t empty_l2_behind = 0;      // L2 tables without entries, in the slack
    unsigned data_percent = 50;             // of the used guest clusters
    unsigned zero_percent = 10;             // of the others; version 3 only
    bool snapshot = false;                  // one, that shares all; needs order 1 or more
    bool garbage_behind_l1 = false;         // in its last cluster
    bool cut_last_cluster = false;          // the file ends where its last byte is
    std::uint64_t free_table_clusters = 0;  // of the refcount table
    std::string base;
};

std::string describe(const Qcow2Recipe& recipe);

// A recipe with a disk of a few hundred clusters.
Qcow2Recipe random_recipe(std::mt19937_64& random);

MemoryStore build_qcow2(const Qcow2Recipe& recipe, std::mt19937_64& random);

}  // namespace sfg::test
