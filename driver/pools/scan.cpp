// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/scan.hpp"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "driver/core/log.hpp"
#include "driver/gluster/attendance.hpp"
#include "driver/gluster/bounded.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/links.hpp"
#include "driver/images/header_cache.hpp"
#include "driver/images/inspect.hpp"
#include "driver/pools/catalogue.hpp"
#include "driver/pools/names.hpp"

namespace sfg {
namespace {

// Each header is a round trip to a brick; more threads than this gained nothing on two cores and
// would let one pool load a brick for itself.
constexpr std::size_t kMostThreads = 8;

// The walk. Owned by the threads and the one who waits for them, whoever is last.
class Walk : public std::enable_shared_from_this<Walk> {
  public:
    Walk(Pool pool, ScanFor purpose) : pool_(std::move(pool)), purpose_(purpose) {}

    Result<Scan> run(std::chrono::milliseconds patience);
    // run() has left threads behind that gluster does not let go.
    bool hangs() const { return hangs_; }

  private:
    using Task = std::function<Result<void>()>;

    void add(Task task);
    void work();
    Result<void> start();
    Result<void> walk_directory(const Object& directory, const std::string& path,
                                std::size_t depth);
    Result<void> meet(const Object& directory, const std::string& path, std::size_t depth,
                      const DirectoryEntry& entry);
    Result<void> leave_out(const std::string& name, const Error& error);
    Result<void> meet_broken(const std::string& name, const Error& error);
    bool is_too_deep(const std::string& name, std::size_t depth) const;
    std::shared_ptr<const ImageInfo> last_known(const Gfid& gfid, std::uint64_t size) const;
    Result<void> meet_link(const std::string& name, const Gfid& link);
    void meet_file(const std::string& name, const Gfid& gfid, const Object& object,
                   bool link = false);
    void keep(ScannedEntry entry);
    void see_life() { signs_of_life_.fetch_add(1, std::memory_order_relaxed); }

    bool for_refresh() const { return purpose_ == ScanFor::refresh; }
    void warn(const std::string& message) const {
        if (for_refresh()) log_warning(pool_.described() + ": " + message);
    }

    const Pool pool_;
    const ScanFor purpose_;
    std::mutex mutex_;
    std::condition_variable more_;  // for the threads: tasks, or the end
    std::condition_variable done_;  // for who waits for them
    std::deque<Task> tasks_;
    std::size_t unfinished_ = 0;
    std::size_t threads_ = 0;
    std::atomic<std::uint64_t> signs_of_life_{0};
    std::atomic<bool> stopped_{false};
    bool hangs_ = false;
    std::optional<Error> error_;
    std::optional<Scan> scan_;  // set by start()
    std::string snapshot_directory_;
};

// With no lock held: one more thing to do, and a thread for it while there may be more.
void Walk::add(Task task) {
    const std::lock_guard held(mutex_);
    tasks_.push_back(std::move(task));
    ++unfinished_;
    more_.notify_one();
    if (threads_ >= kMostThreads || threads_ >= unfinished_) return;
    try {
        std::thread([self = shared_from_this()] { self->work(); }).detach();
        ++threads_;
    } catch (const std::exception& failure) {
        if (threads_ == 0) error_ = Error(ErrorKind::io, EAGAIN, failure.what());
    }
}

void Walk::work() {
    std::unique_lock held(mutex_);
    while (true) {
        more_.wait(held, [&] { return !tasks_.empty() || unfinished_ == 0 || stopped_; });
        if (tasks_.empty() || stopped_) break;
        Task task = std::move(tasks_.front());
        tasks_.pop_front();
        held.unlock();
        Result<void> done;
        try {
            done = task();
        } catch (const std::exception& failure) {
            done = Error(ErrorKind::io, ENOMEM, failure.what());
        }
        task = nullptr;  // gives gluster's handles back, which may take long
        held.lock();
        if (!done && !error_) {
            error_ = done.error();
            stopped_ = true;
        }
        --unfinished_;
        see_life();
        if (unfinished_ == 0 || stopped_) more_.notify_all();
    }
    --threads_;
    done_.notify_all();
}

Result<Scan> Walk::run(std::chrono::milliseconds patience) {
    add([this] { return start(); });
    std::unique_lock held(mutex_);
    // The threads' own end is waited for too: they hold objects of the connection.
    const auto finished = [&] { return (unfinished_ == 0 || error_) && threads_ == 0; };
    std::uint64_t seen = signs_of_life_;
    auto last_change = std::chrono::steady_clock::now();
    while (!done_.wait_for(held, patience / 20, finished)) {
        const auto now = std::chrono::steady_clock::now();
        if (const std::uint64_t count = signs_of_life_; count != seen) {
            seen = count;
            last_change = now;
            show_life();
        } else if (now - last_change >= patience) {
            stopped_ = true;
            hangs_ = true;
            more_.notify_all();
            return has_not_answered(pool_.address, pool_.described(), patience);
        }
    }
    if (error_) return *error_;
    return *std::move(scan_);
}

Result<void> Walk::start() {
    SFG_TRY_ASSIGN(OpenPool open, for_refresh() ? open_pool(pool_) : recent_pool(pool_));
    see_life();
    Usage usage;
    if (for_refresh()) {
        SFG_TRY_ASSIGN(usage, usage_of(open));
    }
    const std::uint64_t since = Catalogue::instance().begin_refresh();
    {
        const std::lock_guard held(mutex_);
        scan_.emplace(Scan{open, since, {}, {}, usage});
        snapshot_directory_ = snapshot_directory(open.connection());
    }
    return walk_directory(open.directory, "", 0);
}

Result<void> Walk::walk_directory(const Object& directory, const std::string& path,
                                  std::size_t depth) {
    Result<void> outcome;
    auto listed = list(directory, [&](const DirectoryEntry& entry) {
        see_life();
        outcome = entry.error() != nullptr
                      ? meet_broken(join_path(path, entry.name()), *entry.error())
                      : meet(directory, path, depth, entry);
        return outcome.has_value() && !stopped_;
    });
    if (!outcome) return outcome;
    if (listed) return {};
    // The pool's own directory is needed, one below it is not.
    if (depth > 0) return leave_out(path, listed.error());
    return listed.error().with_context(pool_.described() + ", directory '/" +
                                       join_path(pool_.directory, path) + "'");
}

// What one entry says of itself must not take the whole pool away: libvirt stops a pool whose
// refresh fails.
Result<void> Walk::leave_out(const std::string& name, const Error& error) {
    if (error.kind() == ErrorKind::not_found) return {};  // another host removed it meanwhile
    if (error.kind() == ErrorKind::not_connected || !for_refresh())
        return error.with_context(pool_.described() + ", '" + escaped(name) + "'");
    warn("'" + escaped(name) + "' is left out: " + error.message());
    return {};
}

// An entry of which gluster gives the name and no more: split-brain, mostly.
Result<void> Walk::meet_broken(const std::string& name, const Error& error) {
    if (for_refresh() || error.kind() == ErrorKind::not_found ||
        error.kind() == ErrorKind::not_connected)
        return leave_out(name, error);
    const std::string path = join_path(pool_.directory, name);
    Gfid gfid;
    for (const auto& [pool, known] :
         Catalogue::instance().listed_anywhere(scan_->pool.volume_id(), path)) {
        if (S_ISDIR(known.stat.st_mode)) return leave_out(name, error);
        gfid = known.gfid;
    }
    keep({name, gfid, {}, last_known(gfid, 0), false, gfid});
    return {};
}

Result<void> Walk::meet(const Object& directory, const std::string& path, std::size_t depth,
                        const DirectoryEntry& entry) {
    const std::string name = join_path(path, entry.name());
    const struct stat& stat = entry.stat();
    if (is_temporary_name(entry.name())) {
        SFG_TRY_ASSIGN(Object object, entry.object());
        const std::lock_guard held(mutex_);
        scan_->temporaries.push_back({directory, name, std::move(object)});
        return {};
    }
    // A directory that only has such a name shows no volumes, and may hold images all the same.
    if (is_glusters_own(entry.gfid()) || entry.name() == snapshot_directory_ ||
        (for_refresh() && is_glusters_own(entry.name())))
        return {};
    if (for_refresh() && !is_shown(entry.name())) {
        warn("'" + escaped(name) + "' cannot be a volume's name and is left out");
        return {};
    }
    if (S_ISLNK(stat.st_mode)) {
        add([this, name, gfid = entry.gfid()] { return meet_link(name, gfid); });
    } else if (S_ISDIR(stat.st_mode)) {
        keep({name, entry.gfid(), stat, {}, false, entry.gfid()});
        if (is_too_deep(name, depth + 1)) {
            if (!for_refresh())
                return Error(ErrorKind::unsupported,
                             pool_.described() + " has directories below '" + escaped(name) +
                                 "' that are nested too deep to be looked through: move or "
                                 "remove them");
            warn("directories below '" + escaped(name) + "' are nested too deep and left out");
            return {};
        }
        SFG_TRY_ASSIGN(const Object object, entry.object());
        add([this, object, name, depth] { return walk_directory(object, name, depth + 1); });
    } else if (S_ISREG(stat.st_mode)) {
        if (auto image =
                HeaderCache::instance().find(scan_->pool.volume_id(), entry.gfid(), stat)) {
            keep({name, entry.gfid(), stat, std::move(image), false, entry.gfid()});
            return {};
        }
        SFG_TRY_ASSIGN(const Object object, entry.object());
        add([this, name, object]() -> Result<void> {
            meet_file(name, object.gfid(), object);
            return {};
        });
    }
    return {};
}

// A name that is nested deeper than volumes may be is not shown. qemu can open it all the same, by
// a path of up to 4096 bytes or from a directory on the way.
bool Walk::is_too_deep(const std::string& name, std::size_t depth) const {
    constexpr std::size_t kDeepestLook = 4096;
    if (!for_refresh()) return depth >= kDeepestLook;
    return depth >= kMostComponents || name.size() > kLongestPath - kLongestComponent - 1;
}

// A link is a volume where it leads to one inside the pool. One to a directory is shown as such
// and not looked into: it may lead up.
Result<void> Walk::meet_link(const std::string& name, const Gfid& link) {
    const std::string path = join_path(pool_.directory, name);
    const auto& connection = scan_->pool.connection();
    auto refuse = [&](const std::string& why) -> Result<void> {
        warn("the link '" + escaped(name) + "' is left out: " + why);
        return {};
    };
    auto target = follow_links(connection, path);
    if (!target) {
        if (target.error().kind() == ErrorKind::not_connected) return target.error();
        if (target.error().kind() != ErrorKind::not_found && !for_refresh())
            return leave_out(name, target.error());
        return refuse(target.error().message());
    }
    if (for_refresh() && (!is_below(target->path, pool_.directory) || target->path.empty()))
        return refuse("it leads out of the pool");
    if (target->object.is_directory())
        keep({name, link, target->object.stat(), {}, true, target->object.gfid()});
    else if (target->object.is_file())
        meet_file(name, link, target->object, true);
    return {};
}

// What an image said when it could be read, or that nothing is known of it.
std::shared_ptr<const ImageInfo> Walk::last_known(const Gfid& gfid, std::uint64_t size) const {
    if (auto last = HeaderCache::instance().last_read(scan_->pool.volume_id(), gfid)) return last;
    ImageInfo unread;
    unread.capacity = size;
    unread.unreadable = true;
    return std::make_shared<const ImageInfo>(unread);
}

// Never fails the walk: of what cannot be read the last that was known is listed, with a line in
// the log.
void Walk::meet_file(const std::string& name, const Gfid& gfid, const Object& object, bool link) {
    auto image = inspect_cached(object);
    if (!image) {
        if (image.error().kind() == ErrorKind::not_found) return;  // deleted meanwhile
        auto known = last_known(object.gfid(), static_cast<std::uint64_t>(object.stat().st_size));
        warn("volume '" + escaped(name) + "' is listed as " +
             (known->unreadable ? "raw" : "it was last seen") + ": " + image.error().message());
        keep({name, gfid, object.stat(), std::move(known), link, object.gfid()});
        return;
    }
    const ImageInfo& info = **image;
    if (!info.damage.empty())
        warn("volume '" + escaped(name) + "' has a damaged or unknown header: " + info.damage);
    if (info.unpadded)
        warn("volume '" + escaped(name) + "' has a length of " +
             std::to_string(object.stat().st_size) +
             " bytes, no multiple of 512: qemu cannot open it over gfapi");
    keep({name, gfid, object.stat(), *std::move(image), link, object.gfid()});
}

void Walk::keep(ScannedEntry entry) {
    const std::lock_guard held(mutex_);
    scan_->entries.push_back(std::move(entry));
}

}  // namespace

Result<Scan> scan_pool(const Pool& pool, ScanFor purpose, std::chrono::milliseconds patience) {
    SFG_TRY(check_not_hung(pool.address, pool.described()));
    // Connecting has a limit of its own and shows no life meanwhile.
    SFG_TRY(connect_pool(pool));
    const auto walk = std::make_shared<Walk>(pool, purpose);
    auto scan = walk->run(patience);
    if (walk->hangs()) remember_hung(pool.address, walk);
    return scan;
}

}  // namespace sfg
