// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a gluster pool costs beside what people use today, a dir pool on a FUSE mount. Measures and
// prints; its exit status tells of errors only, never of time.
#include <cstdio>
#include <exception>

#include "tests/bench/comparison.hpp"
#include "tests/bench/growth.hpp"
#include "tests/bench/scratch_pool.hpp"

namespace {

using namespace sfg::bench;

void print(const std::vector<Row>& rows) {
    for (const auto& row : rows)
        std::printf("| %s | %.1f | %.1f | %.2f | %s |\n", row.operation.c_str(), row.fuse.median(),
                    row.gluster.median(), row.gluster.median() / row.fuse.median(),
                    row.aim.c_str());
    std::fflush(stdout);
}

void print(const Growth& growth, int rounds) {
    std::printf(
        "\nlibvirtd over %d rounds of create, delete and refresh after the first %d: memory %+.0f "
        "KiB (aim: below 2048),\nthreads %+lld, descriptors %+lld (aim: 0)\n",
        rounds - rounds / 10, rounds / 10, static_cast<double>(growth.resident()) / 1024,
        growth.threads(), growth.descriptors());
}

void print(const Ceilings& ceilings, const Options& options) {
    std::printf(
        "\n%llu MiB through libvirt's own stream into a dir pool in memory: %.0f ms, out of it: "
        "%.0f ms\n",
        static_cast<unsigned long long>(options.transfer), ceilings.stream_up.median(),
        ceilings.stream_down.median());
    if (ceilings.fio_write.empty()) return;
    std::printf(
        "fio's gfapi_async on a file of that size, without libvirt: write %.0f ms, read "
        "%.0f ms\n",
        ceilings.fio_write.median(), ceilings.fio_read.median());
}

void run(const Options& options) {
    const sfg::test::Client client(options.connect);
    const ScratchDirectory scratch(options.side_mount);
    std::printf(
        "| operation | FUSE dir pool, ms | gluster pool, ms | ratio | aim for the ratio |\n"
        "|---|---:|---:|---:|---|\n");
    print(compare_volumes(client, options, scratch));
    print(compare_refreshes(client, options, scratch));
    print(compare_transfers(client, options, scratch));
    if (!options.quick_close.empty()) print(compare_guests(client, options, scratch));
    if (options.ceilings) print(measure_ceilings(client, options, scratch), options);
    if (options.libvirtd == 0) return;
    scratch.make_subdirectory("rounds");
    const sfg::test::PoolSpec spec{
        "bench-rounds", options.volume, scratch.in_volume() + "/rounds", {{options.host, 0}}};
    const ScratchPool pool(client, spec.name, spec.xml());
    print(measure_growth(options.libvirtd, options.rounds, volumes_come_and_go(pool.pool())),
          options.rounds);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse_options(argc, argv);
    try {
        run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "pool_bench: %s\n", error.what());
        return 1;
    }
    return 0;
}
