// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/comparison.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "tests/bench/pool_pair.hpp"

namespace sfg::bench {
namespace {

using test::kGiB;

// The kernel trusts what a FUSE mount told it of a file for one second.
constexpr auto kAttributesExpire = std::chrono::milliseconds(1200);

test::VolumeSpec volume_of(const std::string& name, const std::string& format,
                           const std::string& base) {
    if (format == "raw") return test::raw(name, kGiB);
    test::VolumeSpec volume = test::qcow2(name, kGiB);
    if (!base.empty()) {
        volume.backing = base;
        volume.backing_format = "qcow2";
    }
    return volume;
}

// One kind of volume, and how long its creations took.
struct Kind {
    std::string format;
    bool with_base;
    Row row;

    std::string name(const char* who, int turn) const {
        return std::string(who) + (with_base ? "-overlay-" : "-" + format + "-") +
               std::to_string(turn);
    }
};

}  // namespace

std::vector<Row> compare_volumes(const test::Client& client, const Options& options,
                                 const ScratchDirectory& scratch) {
    scratch.make_subdirectory("volumes");
    const PoolPair pools(client, options, scratch, "volumes");
    // Each pool has a base of its own that it knows.
    for (const ScratchPool* pool : {&pools.gluster, &pools.fuse})
        pool->create(test::qcow2(pool == &pools.fuse ? "base-fuse" : "base-gluster", kGiB));
    const std::string gluster_base = pools.gluster.path_of("base-gluster");
    const std::string fuse_base = pools.fuse.path_of("base-fuse");

    std::vector<Kind> kinds{
        {"qcow2", false, {"create qcow2", "at most 0.25"}},
        {"qcow2", true, {"create qcow2 with a base", "at most 0.25"}},
        {"raw", false, {"create raw", "at most 1"}},
    };
    Row deletion{"delete, of " + std::to_string(6 * (options.operations + 1)) + " volumes",
                 "none: a dir pool looks for no dependants"};
    // The first turn of each does not count: programs and connections are loaded.
    for (int turn = 0; turn <= options.operations; ++turn) {
        for (auto& kind : kinds) {
            Row uncounted;
            pools.alternate(turn, turn == 0 ? uncounted : kind.row,
                            [&](const ScratchPool& pool, const char* who) {
                                const auto& base = &pool == &pools.fuse ? fuse_base : gluster_base;
                                pool.create(volume_of(kind.name(who, turn), kind.format,
                                                      kind.with_base ? base : ""));
                            });
        }
    }
    // Volumes are rarely deleted in the second after their creation.
    std::this_thread::sleep_for(kAttributesExpire);
    for (int turn = 0; turn <= options.operations; ++turn) {
        for (const auto& kind : kinds) {
            Row uncounted;
            pools.alternate(turn, turn == 0 ? uncounted : deletion,
                            [&](const ScratchPool& pool, const char* who) {
                                pool.remove(kind.name(who, turn));
                            });
        }
    }
    std::vector<Row> rows;
    for (auto& kind : kinds) rows.push_back(std::move(kind.row));
    rows.push_back(std::move(deletion));
    return rows;
}

std::vector<Row> compare_refreshes(const test::Client& client, const Options& options,
                                   const ScratchDirectory& scratch) {
    scratch.make_subdirectory("many");
    const PoolPair pools(client, options, scratch, "many");
    // A third each: raw, qcow2, qcow2 with a base that both ways lead to.
    pools.gluster.create(test::qcow2("base", kGiB));
    const std::string base = pools.gluster.path_of("base");
    for (int i = 1; i < options.volumes; ++i)
        pools.gluster.create(volume_of("volume-" + std::to_string(i), i % 3 == 0 ? "raw" : "qcow2",
                                       i % 3 == 1 ? base : ""));

    const std::string count = std::to_string(options.volumes) + " volumes";
    Row first{"refresh of " + count + ", all changed", "at most 1, hoped for 0.5"};
    Row repeat{"refresh of " + count + ", none changed", "at most 0.2"};
    auto refresh = [&](const ScratchPool& pool, const char* who) {
        pool.refresh();
        if (pool.volume_count() != options.volumes)
            throw std::runtime_error(std::string(who) + " lists " +
                                     std::to_string(pool.volume_count()) + " of " + count);
    };
    for (int turn = 0; turn < options.refreshes; ++turn) {
        scratch.touch_all("many");
        std::this_thread::sleep_for(kAttributesExpire);
        pools.alternate(turn, first, refresh);
        std::this_thread::sleep_for(kAttributesExpire);
        pools.alternate(turn, repeat, refresh);
    }
    return {std::move(first), std::move(repeat)};
}

}  // namespace sfg::bench
