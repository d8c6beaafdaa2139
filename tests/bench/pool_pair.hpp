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

    // Turn by turn, and who begins changes: what slows the machine for a while hits both.
    template <typename Operation>
    void alternate(int turn, Row& row, Operation operation) const {
        auto on_gluster = [&] { row.gluster.time([&] { operation(gluster, "gluster"); }); };
        auto on_fuse = [&] { row.fuse.time([&] { operation(fuse, "fuse"); }); };
        if (turn % 2 == 0) {
            on_gluster();
            on_fuse();
        } else {
            on_fuse();
            on_gluster();
        }
    }

    ScratchPool gluster;
    ScratchPool fuse;
};

}  // namespace sfg::bench
