// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/client_graph.hpp"

#include <glusterfs/api/glfs-handles.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>

#include "driver/gluster/directory.hpp"

namespace sfg {
namespace {

constexpr char kClient[] = "protocol/client";
constexpr char kReplicate[] = "cluster/replicate";
constexpr char kDisperse[] = "cluster/disperse";
constexpr char kDistribute[] = "cluster/distribute";
constexpr char kSnapshots[] = "features/snapview-client";

// No graph of gluster's is that deep or wide; a limit all the same.
constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostChildren = 10000;

class Judge {
  public:
    explicit Judge(const std::function<Result<std::string>(const GraphNode&)>& private_of)
        : private_of_(private_of) {}

    // What hides below `node`; adds to the state.
    Result<std::vector<std::string>> hidden_below(const GraphNode& node) {
        std::string text;
        const bool known = node.type == kClient || node.type == kReplicate ||
                           node.type == kDisperse || node.type == kDistribute;
        if (known) {
            SFG_TRY_ASSIGN(text, private_of_(node));
        }
        if (node.type == kClient) return client(node, text);
        // Beside the volume it has a client of the snapshot daemon, which is no brick.
        if (node.type == kSnapshots && !node.children.empty())
            return hidden_below(node.children.front());
        const std::vector<std::string> none;
        std::vector<std::string> hidden;
        const std::size_t before = seen_.connected;
        // The client of a thin arbiter comes behind the bricks, and has no part of the volume.
        const std::string bricks = dumped_value(text, "child_count");
        for (std::size_t i = 0; i < node.children.size(); ++i) {
            if (!bricks.empty() && std::to_string(i) == bricks) break;
            SFG_TRY_ASSIGN(const auto below, hidden_below(node.children[i]));
            hidden.insert(hidden.end(), below.begin(), below.end());
        }
        if (node.type == kDistribute) {
            note(node, text, {"gen"});
            for (std::size_t i = 0; i < node.children.size(); ++i)
                note(node, text, {"subvolume_status[" + std::to_string(i) + "]"});
        }
        if (node.type == kReplicate || node.type == kDisperse) {
            note(node, text, {"up", "childs_up_mask"});
            for (std::size_t i = 0; i < node.children.size(); ++i)
                note(node, text, {"child_up[" + std::to_string(i) + "]"});
            // "up": it has its quorum. Without a quorum (replica 2 by default) that says nothing.
            if (dumped_value(text, "up") == "1" && seen_.connected > before) return none;
            if (hidden.empty()) add_bricks(node, hidden);  // on their way up or down
        }
        return hidden;
    }

    BricksSeen take() { return std::move(seen_); }

  private:
    std::vector<std::string> client(const GraphNode& node, const std::string& text) {
        note(node, text, {"connected"});
        seen_.sent.push_back(std::strtoull(dumped_value(text, "msgs_sent").c_str(), nullptr, 10));
        if (dumped_value(text, "connected") == "1") {
            ++seen_.connected;
            return {};
        }
        return {node.brick};
    }

    static void add_bricks(const GraphNode& node, std::vector<std::string>& to) {
        if (!node.brick.empty()) to.push_back(node.brick);
        for (const auto& child : node.children) add_bricks(child, to);
    }

    void note(const GraphNode& node, const std::string& text,
              const std::vector<std::string>& keys) {
        for (const auto& key : keys)
            seen_.state += node.name + " " + key + " " + dumped_value(text, key) + "\n";
    }

    const std::function<Result<std::string>(const GraphNode&)>& private_of_;
    BricksSeen seen_;
};

Result<Object> look_up_meta(const std::shared_ptr<Connection>& connection,
                            const std::string& path) {
    SFG_TRY_ASSIGN(glfs_t* const fs, connection->fs());
    struct stat stat {};
    const std::string full = ".meta/" + path;
    glfs_object* const found =
        glfs_h_lookupat(fs, connection->root(), full.c_str(), &stat, 0 /* no link followed */);
    if (found == nullptr) return Error::from_errno(errno, "cannot read /.meta/" + path);
    return Object(connection, found, stat);
}

Result<std::string> read_meta(const std::shared_ptr<Connection>& connection,
                              const std::string& path) {
    SFG_TRY_ASSIGN(const Object file, look_up_meta(connection, path));
    std::string text;
    std::array<std::byte, 16384> buffer;
    while (text.size() < 1024 * buffer.size()) {
        SFG_TRY_ASSIGN(const std::size_t got, file.read(text.size(), buffer));
        text.append(reinterpret_cast<const char*>(buffer.data()), got);
        if (got < buffer.size()) break;
    }
    return text;
}

Result<std::string> read_meta_link(const std::shared_ptr<Connection>& connection,
                                   const std::string& path) {
    SFG_TRY_ASSIGN(const Object link, look_up_meta(connection, path));
    SFG_TRY_ASSIGN(glfs_t* const fs, connection->fs());
    std::array<char, 1024> target;
    const int size = glfs_h_readlink(fs, link.handle(), target.data(), target.size());
    if (size < 0) return Error::from_errno(errno, "cannot read /.meta/" + path);
    return std::string(target.data(), static_cast<std::size_t>(size));
}

std::string without_newline(std::string text) {
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

Result<GraphNode> read_node(const std::shared_ptr<Connection>& connection, const std::string& graph,
                            const std::string& name, std::size_t depth) {
    const std::string place = "graphs/" + graph + "/" + name + "/";
    GraphNode node;
    node.name = name;
    SFG_TRY_ASSIGN(node.type, read_meta(connection, place + "type"));
    node.type = without_newline(std::move(node.type));
    if (node.type == kClient) {
        SFG_TRY_ASSIGN(const std::string host,
                       read_meta(connection, place + "options/remote-host"));
        SFG_TRY_ASSIGN(const std::string path,
                       read_meta(connection, place + "options/remote-subvolume"));
        node.brick = without_newline(host) + ":" + without_newline(path);
        return node;
    }
    if (depth == kDeepest) return Error(ErrorKind::unsupported, "the client's graph is too deep");
    for (std::size_t i = 0; i < kMostChildren; ++i) {
        const auto link = read_meta_link(connection, place + "subvolumes/" + std::to_string(i));
        if (!link && link.error().kind() == ErrorKind::not_found) break;
        if (!link) return link.error();
        const auto slash = link->rfind('/');
        const std::string child = slash == std::string::npos ? *link : link->substr(slash + 1);
        SFG_TRY_ASSIGN(GraphNode below, read_node(connection, graph, child, depth + 1));
        node.children.push_back(std::move(below));
    }
    return node;
}

// The one value that each type's statedump has if it is whole: a translator whose lock is taken
// just then writes nothing.
std::string telling_key(const GraphNode& node) {
    if (node.type == kClient) return "connected";
    if (node.type == kDistribute) return "gen";
    return "up";
}

Result<std::string> private_of(const std::shared_ptr<Connection>& connection,
                               const std::string& graph, const GraphNode& node) {
    constexpr int kAttempts = 200;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        SFG_TRY_ASSIGN(std::string text,
                       read_meta(connection, "graphs/" + graph + "/" + node.name + "/private"));
        if (!dumped_value(text, telling_key(node)).empty()) return text;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return Error(ErrorKind::io, EBUSY, "gluster's client does not tell the state of " + node.name);
}

}  // namespace

std::string dumped_value(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        const auto equals = line.find(" = ");
        if (equals != std::string_view::npos && line.substr(0, equals) == key)
            return std::string(line.substr(equals + 3));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return "";
}

std::string snapshot_translator_in(const GraphNode& top) {
    if (top.type == kSnapshots) return top.name;
    for (const auto& child : top.children)
        if (std::string found = snapshot_translator_in(child); !found.empty()) return found;
    return "";
}

Result<BricksSeen> judge_graph(
    const GraphNode& top, const std::function<Result<std::string>(const GraphNode&)>& private_of) {
    Judge judge(private_of);
    SFG_TRY_ASSIGN(auto hidden, judge.hidden_below(top));
    BricksSeen seen = judge.take();
    seen.hidden = std::move(hidden);
    return seen;
}

Result<std::string> active_graph(const std::shared_ptr<Connection>& connection) {
    return read_meta_link(connection, "graphs/active");
}

Result<GraphNode> read_graph(const std::shared_ptr<Connection>& connection,
                             const std::string& graph) {
    SFG_TRY_ASSIGN(const std::string top, read_meta_link(connection, "graphs/" + graph + "/top"));
    return read_node(connection, graph, top, 0);
}

Result<std::string> read_snapshot_directory(const std::shared_ptr<Connection>& connection,
                                            const std::string& graph,
                                            const std::string& translator) {
    SFG_TRY_ASSIGN(std::string name, read_meta(connection, "graphs/" + graph + "/" + translator +
                                                               "/options/snapshot-directory"));
    return without_newline(std::move(name));
}

Result<BricksSeen> see_bricks(const std::shared_ptr<Connection>& connection,
                              const std::string& graph, const GraphNode& top) {
    return judge_graph(top,
                       [&](const GraphNode& node) { return private_of(connection, graph, node); });
}

}  // namespace sfg
