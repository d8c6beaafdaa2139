// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/attendance.hpp"

#include <glusterfs/api/glfs-handles.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "driver/core/log.hpp"

namespace sfg {
namespace {

using Clock = std::chrono::steady_clock;

// Less than the three seconds that a client waits before it connects anew.
constexpr std::chrono::milliseconds kMostApart{2000};
constexpr std::chrono::milliseconds kPause{500};

// A graph's shape never changes, and reading it takes some hundred microseconds.
class KnownGraphs {
  public:
    static KnownGraphs& instance() {
        static auto* const graphs = new KnownGraphs;  // never destroyed: threads may outlive main
        return *graphs;
    }
    Result<GraphNode> get(const std::shared_ptr<Connection>& connection, const std::string& graph) {
        const std::pair key(connection->volume_id(), graph);
        {
            const std::lock_guard held(mutex_);
            if (const auto found = graphs_.find(key); found != graphs_.end()) return found->second;
        }
        SFG_TRY_ASSIGN(GraphNode top, read_graph(connection, graph));
        const std::lock_guard held(mutex_);
        // Of a volume the last one.
        std::erase_if(graphs_, [&](const auto& known) { return known.first.first == key.first; });
        graphs_.emplace(key, top);
        return top;
    }

  private:
    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, GraphNode> graphs_;  // by volume-id and name
};

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

// An attribute of the volume's root, which each brick makes up when it is asked; empty where it is
// not to be had.
std::string virtual_attribute(const std::shared_ptr<Connection>& connection, const char* name) {
    const auto fs = connection->fs();
    if (!fs) return "";
    std::vector<char> value(65536);  // of a thousand bricks
    const auto size =
        glfs_h_getxattrs(*fs, connection->root(), name, value.data(), value.size() - 1);
    return size > 0 ? std::string(value.data(), static_cast<std::size_t>(size)) : "";
}

}  // namespace

bool Attended::is_recent() const {
    return Clock::now() - looked <= kMostApart;
}

std::string Attended::why(const std::string& volume) const {
    const std::string of = " of gluster volume '" + volume + "' ";
    if (!told)
        return "gluster's client does not tell whether all bricks" + of +
               "answer, so that something may have been missed; try again";
    if (hidden.empty())
        return "a brick" + of +
               "came or went, or this host stood still, while it was looked through, so that "
               "something may have been missed; try again";
    std::string names;
    constexpr std::size_t kNamed = 4;
    for (std::size_t i = 0; i < hidden.size() && i < kNamed; ++i)
        names += (i == 0 ? "" : ", ") + escaped(hidden[i]);
    if (hidden.size() > kNamed) names += " and " + std::to_string(hidden.size() - kNamed) + " more";
    return (hidden.size() == 1 ? "brick " : "bricks ") + names + of +
           (hidden.size() == 1 ? "does" : "do") +
           " not answer this host, and what is there cannot be seen (gluster volume status " +
           volume + "); try again when " + (hidden.size() == 1 ? "it does" : "they do");
}

struct Attendance::Watch {
    std::shared_ptr<Connection> connection;
    std::string graph;
    GraphNode top;
    BricksSeen first;
    std::mutex mutex;
    std::condition_variable ending;
    std::atomic<bool> ended{false};
    bool steady = true;
    std::vector<unsigned long long> sent;
    Clock::time_point last = Clock::now();  // when the last look was begun

    // rpc_clnt_connection_cleanup sets the count back. That shows a client whose timer was still
    // running from its last attempt, and which therefore was back within the three seconds.
    bool sent_more(const std::vector<unsigned long long>& now) const {
        if (now.size() != sent.size()) return false;
        for (std::size_t i = 0; i < now.size(); ++i)
            if (now[i] < sent[i]) return false;
        return true;
    }

    // With the mutex held.
    void look() {
        const auto begun = Clock::now();
        const auto seen = see_bricks(connection, graph, top);
        if (!seen || seen->state != first.state || Clock::now() - last > kMostApart ||
            !sent_more(seen->sent))
            steady = false;
        last = begun;
        if (seen) sent = seen->sent;
    }

    // Some attribute that each brick has its part in: neither is to be had from all kinds of
    // volumes (10.3: ENOMEM from dispersed ones for the first, ENODATA from distributed ones for
    // the second).
    bool all_answer() const {
        if (count(virtual_attribute(connection, "trusted.glusterfs.pathinfo"), "<POSIX(") >=
            first.connected)
            return true;
        const std::string ids = virtual_attribute(connection, "trusted.glusterfs.list-node-uuids");
        return count(ids, "-") / 4 - count(ids, "00000000-0000-0000-0000-000000000000") >=
               first.connected;
    }
};

Attendance::Attendance(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}

// Waits for nobody: the thread may hang in gluster with the mutex held.
Attendance::~Attendance() {
    watch_->ended = true;
    watch_->ending.notify_all();
}

Result<std::shared_ptr<Attendance>> Attendance::begin(
    const std::shared_ptr<Connection>& connection) {
    auto watch = std::make_shared<Watch>();
    watch->connection = connection;
    watch->last = Clock::now();
    SFG_TRY_ASSIGN(watch->graph, active_graph(connection));
    SFG_TRY_ASSIGN(watch->top, KnownGraphs::instance().get(connection, watch->graph));
    SFG_TRY_ASSIGN(watch->first, see_bricks(connection, watch->graph, watch->top));
    watch->sent = watch->first.sent;
    try {
        std::thread([watch] {
            std::unique_lock held(watch->mutex);
            while (!watch->ending.wait_for(held, kPause, [&] { return watch->ended.load(); }))
                watch->look();
        }).detach();
    } catch (const std::exception& failure) {
        return Error(ErrorKind::io, EAGAIN, failure.what());
    }
    return std::shared_ptr<Attendance>(new Attendance(std::move(watch)));
}

const std::shared_ptr<Connection>& Attendance::connection() const {
    return watch_->connection;
}

Attended Attendance::end() {
    Attended attended;
    attended.steady = watch_->all_answer();
    const std::lock_guard held(watch_->mutex);
    watch_->look();
    const auto graph = active_graph(watch_->connection);
    attended.steady = attended.steady && watch_->steady && graph && *graph == watch_->graph;
    attended.hidden = watch_->first.hidden;
    if (attended.hidden.empty())
        if (auto now = see_bricks(watch_->connection, watch_->graph, watch_->top))
            attended.hidden = std::move(now->hidden);
    attended.looked = watch_->last;
    attended.steady = attended.steady && attended.is_recent();
    return attended;
}

std::string snapshot_directory(const std::shared_ptr<Connection>& connection) {
    const auto graph = active_graph(connection);
    if (!graph) return "";
    const auto top = KnownGraphs::instance().get(connection, *graph);
    if (!top) return "";
    const std::string translator = snapshot_translator_in(*top);
    if (translator.empty()) return "";
    const auto name = read_snapshot_directory(connection, *graph, translator);
    return name ? *name : "";
}

Result<std::vector<std::string>> hidden_bricks(const std::shared_ptr<Connection>& connection) {
    SFG_TRY_ASSIGN(const auto graph, active_graph(connection));
    SFG_TRY_ASSIGN(const auto top, KnownGraphs::instance().get(connection, graph));
    SFG_TRY_ASSIGN(BricksSeen seen, see_bricks(connection, graph, top));
    return std::move(seen.hidden);
}

Error or_hidden(const std::shared_ptr<Connection>& connection, const Error& error) {
    if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::not_connected &&
        error.kind() != ErrorKind::io)
        return error;
    Attended attended;
    if (auto hidden = hidden_bricks(connection)) attended.hidden = *std::move(hidden);
    if (attended.hidden.empty()) return error;
    return Error(ErrorKind::not_connected, ENOTCONN, attended.why(connection->volume()));
}

}  // namespace sfg
