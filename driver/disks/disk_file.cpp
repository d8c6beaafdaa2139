// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/disks/disk_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/core/user_groups.hpp"
#include "driver/disks/known_servers.hpp"
#include "driver/gluster/as_user.hpp"
#include "driver/gluster/bounded.hpp"
#include "driver/gluster/connections.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/links.hpp"
#include "driver/pools/names.hpp"
#include "driver/volumes/gate.hpp"

namespace sfg {
namespace {

using Connected = std::shared_ptr<Connection>;

// Runs `work` with the connection to the disk's volume; once more where that turns out to be dead
// and another can be had. `work` owns what it uses.
template <typename T>
Result<T> with_volume(const Disk& disk, std::function<Result<T>(const Connected&)> work) {
    const auto limit = settings().connect_timeout;
    auto& connections = Connections::instance();
    SFG_TRY_ASSIGN(const VolumeAddress address, KnownServers::instance().address_of(disk));
    auto connection = connections.get(address, limit);
    if (!connection) return connection.error().with_context(disk.described());
    auto attempt = [&](const Connected& with) {
        return run_bounded<T>(address, disk.described(), limit,
                              [work, with] { return work(with); });
    };
    auto outcome = attempt(*connection);
    if (!outcome && outcome.error().kind() == ErrorKind::not_connected &&
        outcome.error().system_errno() != ETIMEDOUT) {
        auto fresh = connections.replace(address, *connection, limit);
        if (!fresh) return fresh.error().with_context(disk.described());
        outcome = attempt(*fresh);
    }
    if (!outcome) {
        const Error& error = outcome.error();
        return error.message().starts_with(disk.described()) ? error
                                                             : error.with_context(disk.described());
    }
    if (!disk.named_by_image) KnownServers::instance().remember(address);
    return outcome;
}

// The file that the disk's path leads to.
template <typename T>
Result<T> with_file(const Disk& disk, std::function<Result<T>(const Object&)> work) {
    return with_volume<T>(
        disk, [path = disk.path, work = std::move(work)](const Connected& connection) -> Result<T> {
            SFG_TRY_ASSIGN(const Resolved found, follow_links(connection, path));
            return work(found.object);
        });
}

// The directory that the disk's name stands in, links on the way followed.
template <typename T>
Result<T> with_parent(const Disk& disk,
                      std::function<Result<T>(const Resolved&, const std::string&)> work) {
    return with_volume<T>(
        disk, [path = disk.path, work = std::move(work)](const Connected& connection) -> Result<T> {
            const std::string name = last_of(path);
            if (name.empty() || name == "." || name == "..")
                return Error(ErrorKind::invalid, EISDIR, "it is no name of a file");
            SFG_TRY_ASSIGN(const Resolved parent, follow_links(connection, parent_of(path)));
            return work(parent, name);
        });
}

// The files that libvirt has had made lately. Nobody can need one of which nobody knows but the
// guest that it was made for.
class MadeHere {
  public:
    static MadeHere& instance() {
        static auto* const files = new MadeHere;  // never destroyed: threads may outlive main
        return *files;
    }
    void add(const Object& file) {
        const std::lock_guard held(mutex_);
        forget_old();
        files_.push_back({key_of_file(file), Clock::now()});
    }
    bool take(const Object& file) {
        const std::lock_guard held(mutex_);
        forget_old();
        return std::erase_if(files_, [key = key_of_file(file)](const Made& made) {
                   return made.file == key;
               }) > 0;
    }

  private:
    static constexpr std::chrono::minutes kLately{1};
    using Clock = std::chrono::steady_clock;
    using Key = std::pair<std::string, Gfid>;
    static Key key_of_file(const Object& file) {
        return {file.connection()->volume_id(), file.gfid()};
    }

    struct Made {
        Key file;
        Clock::time_point when;
    };
    void forget_old() {
        while (!files_.empty() && Clock::now() - files_.front().when > kLately) files_.pop_front();
    }

    std::mutex mutex_;
    std::deque<Made> files_;
};

constexpr char kOwnerAttribute[] = "trusted.sfgluster.owner";  // "64055:108"; empty: none

bool is_root(User owner) {
    return owner.user == 0 && owner.group == 0;
}

std::optional<User> owner_of(const std::optional<std::string>& attribute) {
    unsigned user = 0, group = 0;
    if (!attribute || std::sscanf(attribute->c_str(), "%u:%u", &user, &group) != 2)
        return std::nullopt;
    return User{user, group};
}

void keep_owner(const Object& file, const std::string& text) {
    // Bricks that take no attributes: as libvirt has it.
    if (const auto kept = file.set_attribute(kOwnerAttribute, text); !kept)
        log_warning("the owner of an image is not remembered: " + kept.error().message());
}

// To qemu's user, or to another's. An owner that is kept already is the one from before: an image
// goes from one host's qemu to another's at a migration.
Result<void> take(const Object& file, User now, User wanted, const std::optional<User>& kept) {
    if (!kept && !is_root(now))
        keep_owner(file, std::to_string(now.user) + ":" + std::to_string(now.group));
    return file.set_ownership(std::nullopt, wanted.user, wanted.group);
}

// The attribute goes last: this may be cut off, and is then done once more.
Result<void> give_back(const Object& file, const std::optional<User>& kept) {
    SFG_TRY(file.set_ownership(std::nullopt, kept ? kept->user : 0, kept ? kept->group : 0));
    if (kept) keep_owner(file, "");
    return {};
}

}  // namespace

Result<void> connect_disk(const Disk& disk) {
    return with_volume<void>(disk,
                             [](const Connected& connection) { return check_alive(connection); });
}

Result<struct stat> stat_disk(const Disk& disk) {
    return with_file<struct stat>(
        disk, [](const Object& file) { return Result<struct stat>(file.stat()); });
}

Result<std::vector<std::byte>> read_disk(const Disk& disk, std::uint64_t offset,
                                         std::size_t length) {
    using Bytes = std::vector<std::byte>;
    return with_file<Bytes>(disk, [offset, length](const Object& file) -> Result<Bytes> {
        if (file.is_directory()) return Error(ErrorKind::invalid, EISDIR, "it is a directory");
        if (!file.is_file()) return Error(ErrorKind::invalid, EINVAL, "it is not a regular file");
        const auto size = static_cast<std::uint64_t>(file.stat().st_size);
        // Not more memory than there is to read.
        Bytes bytes(offset >= size ? 0 : std::min<std::uint64_t>(length, size - offset));
        if (bytes.empty()) return bytes;
        SFG_TRY_ASSIGN(const std::size_t got, file.read(offset, bytes));
        bytes.resize(got);
        return bytes;
    });
}

Result<void> check_disk_access(const Disk& disk, int mode, User user) {
    // Root may everything, and looks at things as root. The host's directory of users may take its
    // time, which is not gluster's.
    const auto groups = user.user != 0 ? groups_of(user.user, user.group) : std::vector<gid_t>();
    return with_volume<void>(
        disk, [path = disk.path, mode, user, groups](const Connected& connection) -> Result<void> {
            // This thread is the call's own.
            std::unique_ptr<AsUser> as_user;
            if (user.user != 0) {
                SFG_TRY_ASSIGN(as_user, AsUser::become(user.user, user.group, groups));
            }
            SFG_TRY_ASSIGN(const Resolved found, follow_links(connection, path));
            return mode == F_OK ? Result<void>() : check_access(found.object, mode);
        });
}

Result<void> create_disk(const Disk& disk) {
    return with_parent<void>(
        disk, [](const Resolved& parent, const std::string& name) -> Result<void> {
            const auto made = create_file(parent.object, name, S_IRUSR | S_IWUSR);
            if (made) {
                MadeHere::instance().add(made->object);
                return {};
            }
            if (made.error().kind() != ErrorKind::exists) return made.error();
            return Error(ErrorKind::exists, EEXIST, "a file has that name, and is not overwritten");
        });
}

// libvirt removes what it has made a moment ago and could not use: the overlay of a snapshot, the
// target of a copy. Anything else goes the way of all deletions.
Result<void> unlink_disk(const Disk& disk) {
    SFG_TRY_ASSIGN(const VolumeAddress address, KnownServers::instance().address_of(disk));
    return with_parent<void>(
        disk, [address](const Resolved& parent, const std::string& name) -> Result<void> {
            SFG_TRY_ASSIGN(const Object file, lookup(parent.object, name));
            if (file.is_directory()) return Error(ErrorKind::invalid, EISDIR, "it is a directory");
            Pool around;
            around.address = address;
            around.directory = parent.path;
            const OpenPool place{around, parent.object};
            Gate gate(place, name);
            const auto removed =
                MadeHere::instance().take(file) ? gate.remove_unneeded() : gate.remove();
            // The connection is well: with another one the answer would be the same.
            if (!removed && removed.error().kind() == ErrorKind::not_connected)
                return Error(ErrorKind::busy, EBUSY, removed.error().message());
            return removed;
        });
}

Result<void> chown_disk(const Disk& disk, User owner) {
    return with_file<void>(disk, [owner](const Object& file) -> Result<void> {
        if (!file.is_file()) return Error(ErrorKind::invalid, EISDIR, "it is not a regular file");
        const User now{file.stat().st_uid, file.stat().st_gid};
        User wanted = owner;
        if (wanted.user == static_cast<uid_t>(-1)) wanted.user = now.user;
        if (wanted.group == static_cast<gid_t>(-1)) wanted.group = now.group;
        // Already so: by another guest, or one whose end was never seen.
        if (now.user == wanted.user && now.group == wanted.group) return {};
        SFG_TRY_ASSIGN(const auto attribute, file.attribute(kOwnerAttribute));
        const auto kept = owner_of(attribute);
        return is_root(wanted) ? give_back(file, kept) : take(file, now, wanted, kept);
    });
}

}  // namespace sfg
