// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/comparison.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace sfg::bench {
namespace {

// The kernel trusts what a FUSE mount told it of a file for one second.
constexpr auto kAttributesExpire = std::chrono::milliseconds(1200);

// The two pools over one directory.
struct Pools {
    Pools(const Client& client, const Options& options, const ScratchDirectory& scratch,
          const std::string& directory)
        : gluster(client, gluster_pool_xml("bench-gluster-" + directory, options.host,
                                           options.volume, scratch.in_volume() + "/" + directory)),
          fuse(client, directory_pool_xml("bench-fuse-" + directory,
                                          options.mount + scratch.in_volume() + "/" + directory)) {}

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

}  // namespace

std::vector<Row> compare_volumes(const Client& client, const Options& options,
                                 const ScratchDirectory& scratch) {
    scratch.make_subdirectory("volumes");
    const Pools pools(client, options, scratch, "volumes");
    // Each pool has a base of its own that it knows.
    pools.gluster.create(volume_xml({"base-gluster", "qcow2"}));
    pools.fuse.create(volume_xml({"base-fuse", "qcow2"}));
    const std::string gluster_base = pools.gluster.path_of("base-gluster");
    const std::string fuse_base = pools.fuse.path_of("base-fuse");

    struct Kind {
        std::string format;
        bool with_base;
        Row row;
    };
    std::vector<Kind> kinds{
        {"qcow2", false, {"create qcow2", "at most 0.25"}},
        {"qcow2", true, {"create qcow2 with a base", "at most 0.25"}},
        {"raw", false, {"create raw", "at most 1"}},
    };
    Row deletion{"delete", "at most 1"};
    // One turn that does not count, for connections and programs to be loaded.
    for (int turn = -1; turn < options.operations; ++turn) {
        for (auto& kind : kinds) {
            Row uncounted;
            Row& created = turn < 0 ? uncounted : kind.row;
            pools.alternate(turn + 1, created, [&](const ScratchPool& pool, const char* who) {
                std::string base;
                if (kind.with_base) base = &pool == &pools.gluster ? gluster_base : fuse_base;
                pool.create(volume_xml({std::string("volume-") + who, kind.format, base}));
            });
            Row& deleted = turn < 0 ? uncounted : deletion;
            pools.alternate(turn + 1, deleted, [&](const ScratchPool& pool, const char* who) {
                pool.remove(std::string("volume-") + who);
            });
        }
    }
    std::vector<Row> rows;
    for (auto& kind : kinds) rows.push_back(std::move(kind.row));
    rows.push_back(std::move(deletion));
    return rows;
}

std::vector<Row> compare_refreshes(const Client& client, const Options& options,
                                   const ScratchDirectory& scratch) {
    scratch.make_subdirectory("many");
    const Pools pools(client, options, scratch, "many");
    // A third each: raw, qcow2, qcow2 with a base that both ways lead to.
    pools.gluster.create(volume_xml({"base", "qcow2"}));
    const std::string base = pools.gluster.path_of("base");
    for (int i = 1; i < options.volumes; ++i)
        pools.gluster.create(volume_xml(
            {"volume-" + std::to_string(i), i % 3 == 0 ? "raw" : "qcow2", i % 3 == 1 ? base : ""}));

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
