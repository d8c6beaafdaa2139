// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a gluster pool costs beside what people use today, a dir pool on a FUSE mount. Measures and
// prints; its exit status tells of errors only, never of time.
#include <cstdio>
#include <exception>

#include "tests/bench/comparison.hpp"
#include "tests/bench/growth.hpp"

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
    auto change = [](std::size_t early, std::size_t late) {
        return static_cast<long long>(late) - static_cast<long long>(early);
    };
    std::printf("\nlibvirtd over %d rounds of create, delete and refresh, after the first %d:\n",
                rounds - rounds / 10, rounds / 10);
    std::printf("memory %+.0f KiB (aim: below 2048), threads %+lld, descriptors %+lld (aim: 0)\n",
                static_cast<double>(growth.resident()) / 1024,
                change(growth.early.threads, growth.late.threads),
                change(growth.early.descriptors, growth.late.descriptors));
}

void run(const Options& options) {
    const Client client(options.connect);
    const ScratchDirectory scratch(options.side_mount);
    std::printf(
        "| operation | FUSE dir pool, ms | gluster pool, ms | ratio | aim for the ratio |\n"
        "|---|---:|---:|---:|---|\n");
    print(compare_volumes(client, options, scratch));
    print(compare_refreshes(client, options, scratch));
    if (options.libvirtd == 0) return;
    scratch.make_subdirectory("rounds");
    const ScratchPool pool(client, gluster_pool_xml("bench-rounds", options.host, options.volume,
                                                    scratch.in_volume() + "/rounds"));
    print(measure_growth(pool, options.libvirtd, options.rounds), options.rounds);
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
