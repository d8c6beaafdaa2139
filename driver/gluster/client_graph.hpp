// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/connection.hpp"

namespace sfg {

// The translators between us and the bricks, as far as they decide what can be seen of a volume:
// protocol/client (a brick), cluster/replicate, cluster/disperse and cluster/distribute.
struct GraphNode {
    std::string name;   // gv0-client-0
    std::string type;   // protocol/client
    std::string brick;  // of a client: host:/path, as `gluster volume info` has it
    std::vector<GraphNode> children;
};

// Which bricks answer, as the client in this process sees it.
struct BricksSeen {
    // Those that are away and have what no other brick has: a part of the volume cannot be seen. A
    // replica or disperse set that has its quorum hides nothing.
    std::vector<std::string> hidden;
    std::size_t connected = 0;  // bricks
    // What each client has sent since it connected: one that is less than before has connected
    // anew.
    std::vector<unsigned long long> sent;
    // Differs from another one of the same graph when a brick came or went between the two.
    // cluster/distribute counts the times that a subvolume came back ("gen").
    std::string state;
};

// The translator that shows a volume's snapshots (features.uss); empty where it does not.
std::string snapshot_translator_in(const GraphNode& top);

// What a graph's nodes say of themselves, by `private_of`: the text of a translator's statedump.
// Errors are those of `private_of`.
Result<BricksSeen> judge_graph(
    const GraphNode& top, const std::function<Result<std::string>(const GraphNode&)>& private_of);

// The value of `key` in such a text ("connected = 1"); empty where there is none.
std::string dumped_value(std::string_view text, std::string_view key);

// Gluster's meta translator shows what a client knows under "/.meta" of the volume, over gfapi as
// on a FUSE mount. No brick is asked: these calls take microseconds, whatever the bricks do.

// The name of the graph that is in use; another one after each change of the volume's bricks or of
// options that need a new graph.
Result<std::string> active_graph(const std::shared_ptr<Connection>& connection);
Result<GraphNode> read_graph(const std::shared_ptr<Connection>& connection,
                             const std::string& graph);
// How that one called the directories with snapshots when its graph was made, which features.uss
// does. A name that is set later is used by gluster and shown nowhere (10.3: /.meta keeps the old
// options).
Result<std::string> read_snapshot_directory(const std::shared_ptr<Connection>& connection,
                                            const std::string& graph,
                                            const std::string& translator);
Result<BricksSeen> see_bricks(const std::shared_ptr<Connection>& connection,
                              const std::string& graph, const GraphNode& top);

}  // namespace sfg
