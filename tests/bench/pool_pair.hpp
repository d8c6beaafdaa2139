// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "tests/bench/comparison.hpp"
#include "tests/bench/options.hpp"
#include "tests/bench/scratch_directory.hpp"
#include "tests/bench/scratch_pool.hpp"

namespace sfg::bench {

// The two pools over one directory.
struct PoolPair {
    PoolPair(const test::Client& client, const Options& options, const ScratchDirectory& scratch,
             const std::string& directory);

    template <typename Operation>
    void alternate(int turn, Row& row, Operation operation) const {
        bench::alternate(
            turn, row, [&] { operation(gluster, "gluster"); }, [&] { operation(fuse, "fuse"); },
            [](Samples Row::*) {});
    }

    ScratchPool gluster;
    ScratchPool fuse;
};

}  // namespace sfg::bench
