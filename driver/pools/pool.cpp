// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/pool.hpp"

#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>

#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/gluster/connections.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/uri.hpp"
#include "driver/pools/names.hpp"
#include "driver/pools/parents.hpp"
#include "driver/pools/temporaries.hpp"

namespace sfg {
namespace {

// Runs `use` with the root of the pool's volume; once more with a new connection where the kept
// one turns out to be dead.
template <typename Use>
auto with_root(const Pool& pool, Use use) -> decltype(use(std::declval<const Object&>())) {
    auto& connections = Connections::instance();
    const auto limit = settings().connect_timeout;
    SFG_TRY_ASSIGN(std::shared_ptr<Connection> connection, connections.get(pool.address, limit));
    auto attempt = [&]() -> decltype(use(std::declval<const Object&>())) {
        SFG_TRY(check_alive(connection));
        SFG_TRY_ASSIGN(const Object root, root_of(connection));
        return use(root);
    };
    auto outcome = attempt();
    if (outcome || outcome.error().kind() != ErrorKind::not_connected) return outcome;
    auto fresh = connections.replace(pool.address, connection, limit);
    if (!fresh) return fresh.error();
    connection = *fresh;
    return attempt();
}

class RecentPools {
  public:
    static RecentPools& instance() {
        static auto* const pools = new RecentPools;  // never destroyed: threads may outlive main
        return *pools;
    }
    std::optional<OpenPool> find(const Pool& pool) {
        const std::lock_guard held(mutex_);
        const auto found = pools_.find(pool);
        if (found == pools_.end() || is_old(found->second)) return std::nullopt;
        return found->second.open;
    }
    void insert(const OpenPool& open) {
        const std::lock_guard held(mutex_);
        // An entry keeps its connection.
        std::erase_if(pools_, [](const auto& entry) { return is_old(entry.second); });
        pools_.insert_or_assign(open.pool, Entry{open, Clock::now()});
    }
    void erase(const Pool& pool) {
        const std::lock_guard held(mutex_);
        pools_.erase(pool);
    }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds kRecent{1};
    struct Entry {
        OpenPool open;
        Clock::time_point looked_up;
    };
    static bool is_old(const Entry& entry) { return Clock::now() - entry.looked_up > kRecent; }

    std::mutex mutex_;
    std::map<Pool, Entry> pools_;
};

Error in_context(const Pool& pool, const Error& error) {
    return error.with_context(pool.described());
}

}  // namespace

Result<Pool> Pool::make(std::string name, std::string volume, const std::string& directory,
                        std::vector<Server> servers) {
    const std::string who = "pool '" + name + "'";
    if (volume.empty())
        return Error(ErrorKind::invalid, who + " does not name a gluster volume in <name>");
    if (volume.find('/') != std::string::npos)
        return Error(ErrorKind::invalid, who + " names the gluster volume '" + volume +
                                             "': it must not contain '/', a directory of it goes "
                                             "into <dir path>");
    if (!is_volume_name(volume))
        return Error(ErrorKind::invalid,
                     who + " names the gluster volume '" + volume +
                         "': gluster's volumes have names of letters, digits, '-' and '_'");
    if (!directory.empty() && !directory.starts_with('/'))
        return Error(ErrorKind::invalid,
                     who + " has the directory '" + directory + "': it must begin with '/'");
    const auto path = normalized(directory);
    if (!path || ("/" + directory + "/").find("/../") != std::string::npos)
        return Error(ErrorKind::invalid,
                     who + " has the directory '" + directory + "': it must not contain '..'");
    if (servers.empty()) return Error(ErrorKind::invalid, who + " names no gluster host");
    GlusterUri uri;
    uri.host = servers.front().host;
    uri.port = servers.front().port;
    uri.volume = volume;
    uri.path = "/";
    return Pool{
        std::move(name), {std::move(volume), std::move(servers)}, *path, format_gluster_uri(uri)};
}

std::string Pool::uri_of(const std::string& path_in_volume) const {
    return uri_prefix + escaped_uri_path(path_in_volume);
}

Result<void> connect_pool(const Pool& pool) {
    auto connection = Connections::instance().get(pool.address, settings().connect_timeout);
    if (!connection) return in_context(pool, connection.error());
    return {};
}

Result<OpenPool> open_pool(const Pool& pool) {
    auto opened = with_root(pool, [&](const Object& root) -> Result<OpenPool> {
        auto directory = lookup_path(root, pool.directory);
        if (!directory) {
            if (directory.error().kind() != ErrorKind::not_found) return directory.error();
            return Error(ErrorKind::pool_missing, directory.error().system_errno(),
                         "there is no directory '/" + pool.directory + "' in gluster volume '" +
                             pool.address.volume + "' (virsh pool-build makes it)");
        }
        if (!directory->is_directory())
            return Error(ErrorKind::invalid, ENOTDIR,
                         "'/" + pool.directory + "' in gluster volume '" + pool.address.volume +
                             "' is not a directory");
        return OpenPool{pool, *std::move(directory)};
    });
    if (!opened) return in_context(pool, opened.error());
    return opened;
}

Result<OpenPool> recent_pool(const Pool& pool) {
    auto& recent = RecentPools::instance();
    if (auto known = recent.find(pool)) return *std::move(known);
    SFG_TRY_ASSIGN(OpenPool open, open_pool(pool));
    recent.insert(open);
    return open;
}

void forget_recent_pool(const Pool& pool) {
    RecentPools::instance().erase(pool);
}

Result<void> build_pool(const Pool& pool) {
    auto built = with_root(pool, [&](const Object& root) -> Result<void> {
        const bool was_there = lookup_path(root, pool.directory).has_value();
        SFG_TRY(make_directories(root, pool.directory, {}));
        if (was_there) return {};
        SFG_TRY_ASSIGN(const Object parent, lookup_path(root, parent_of(pool.directory)));
        return make_durable(parent, last_of(pool.directory));
    });
    if (!built) return in_context(pool, built.error());
    return built;
}

Result<void> delete_pool(const Pool& pool) {
    if (pool.directory.empty())
        return Error(ErrorKind::unsupported,
                     pool.described() + " is the root of gluster volume '" + pool.address.volume +
                         "', which is not deleted here (gluster volume delete does)");
    auto deleted = with_root(pool, [&](const Object& root) -> Result<void> {
        SFG_TRY_ASSIGN(const Object parent, lookup_path(root, parent_of(pool.directory)));
        auto removed = remove_directory(parent, last_of(pool.directory));
        if (!removed && removed.error().system_errno() == ENOTDIR)
            return Error(ErrorKind::invalid, ENOTDIR,
                         "'/" + pool.directory + "' is not a directory");
        if (!removed && removed.error().system_errno() == ENOTEMPTY)
            return Error(ErrorKind::busy, ENOTEMPTY,
                         "its directory '/" + pool.directory + "' is not empty");
        if (!removed) return removed;
        if (const auto durable = make_durable(parent, last_of(pool.directory)); !durable)
            log_warning("the directory of " + pool.described() +
                        " is deleted, and may come back if the bricks lose power: " +
                        durable.error().message());
        return {};
    });
    if (!deleted) return in_context(pool, deleted.error());
    return deleted;
}

Result<Usage> usage_of(const OpenPool& open) {
    auto found = file_system_usage(open.directory);
    if (!found) return in_context(open.pool, found.error());
    const std::uint64_t fragment = found->f_frsize;
    Usage usage;
    usage.capacity = fragment * found->f_blocks;
    // Not f_bfree: part of that is kept for root on the bricks, and a guest's image is its user's.
    usage.available = fragment * found->f_bavail;
    usage.allocation = usage.capacity - usage.available;
    return usage;
}

}  // namespace sfg
