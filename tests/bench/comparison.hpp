// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "tests/bench/options.hpp"
#include "tests/bench/scratch_directory.hpp"
#include "tests/bench/statistics.hpp"
#include "tests/support/libvirt_client.hpp"

namespace sfg::bench {

// One operation on both pools.
struct Row {
    std::string operation;
    std::string aim;
    Samples fuse = {};
    Samples gluster = {};
};

// Creations and deletions, one volume at a time.
std::vector<Row> compare_volumes(const test::Client& client, const Options& options,
                                 const ScratchDirectory& scratch);
// Refreshes of a directory of many volumes.
std::vector<Row> compare_refreshes(const test::Client& client, const Options& options,
                                   const ScratchDirectory& scratch);

}  // namespace sfg::bench
