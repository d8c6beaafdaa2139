// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <unistd.h>

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

// Turn by turn, and who begins changes: what slows the machine for a while hits both. What the one
// has left to be written to disk is written before the other's time begins. `after` is called
// behind each, with whose turn it was.
template <typename OnGluster, typename OnFuse, typename After>
void alternate(int turn, Row& row, OnGluster on_gluster, OnFuse on_fuse, After after) {
    auto gluster = [&] {
        sync();
        row.gluster.time(on_gluster);
        after(&Row::gluster);
    };
    auto fuse = [&] {
        sync();
        row.fuse.time(on_fuse);
        after(&Row::fuse);
    };
    if (turn % 2 == 0) {
        gluster();
        fuse();
    } else {
        fuse();
        gluster();
    }
}

// Creations and deletions, one volume at a time.
std::vector<Row> compare_volumes(const test::Client& client, const Options& options,
                                 const ScratchDirectory& scratch);
// Refreshes of a directory of many volumes.
std::vector<Row> compare_refreshes(const test::Client& client, const Options& options,
                                   const ScratchDirectory& scratch);

// Uploads, downloads, clones, wipes and resizes of a volume of options.transfer bytes.
std::vector<Row> compare_transfers(const test::Client& client, const Options& options,
                                   const ScratchDirectory& scratch);

// Starts and ends of guests on a two-deep chain: on network disks, and on the same files over FUSE.
std::vector<Row> compare_guests(const test::Client& client, const Options& options,
                                const ScratchDirectory& scratch);

// How fast libvirt's own streams are, into and out of a dir pool in memory, and fio's gfapi_async
// engine on a file of that size: what no pool can pass. Nothing where fio is not installed.
struct Ceilings {
    Samples stream_up, stream_down;
    Samples fio_write, fio_read;
};
Ceilings measure_ceilings(const test::Client& client, const Options& options,
                          const ScratchDirectory& scratch);

}  // namespace sfg::bench
