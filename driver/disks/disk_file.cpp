// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/disks/disk_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <optional>

#include "driver/core/settings.hpp"
#include "driver/core/user_groups.hpp"
#include "driver/disks/known_servers.hpp"
#include "driver/gluster/as_user.hpp"
#include "driver/gluster/connections.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/links.hpp"
#include "driver/volumes/bounded.hpp"
#include "driver/volumes/names.hpp"

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
                      std::function<Result<T>(const Object&, const std::string&)> work) {
    return with_volume<T>(
        disk, [path = disk.path, work = std::move(work)](const Connected& connection) -> Result<T> {
            const std::string name = last_of(path);
            if (name.empty() || name == "." || name == "..")
                return Error(ErrorKind::invalid, EISDIR, "it is no name of a file");
            SFG_TRY_ASSIGN(const Resolved parent, follow_links(connection, parent_of(path)));
            return work(parent.object, name);
        });
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
    return with_volume<void>(
        disk, [path = disk.path, mode, user](const Connected& connection) -> Result<void> {
            // This thread is the call's own. Root may everything, and looks at things as root.
            std::optional<AsUser> as_user;
            if (user.user != 0)
                as_user.emplace(user.user, user.group, groups_of(user.user, user.group));
            SFG_TRY_ASSIGN(const Resolved found, follow_links(connection, path));
            return mode == F_OK ? Result<void>() : check_access(found.object, mode);
        });
}

Result<void> create_disk(const Disk& disk) {
    return with_parent<void>(
        disk, [](const Object& parent, const std::string& name) -> Result<void> {
            const auto made = create_file(parent, name, S_IRUSR | S_IWUSR);
            if (made || made.error().kind() != ErrorKind::exists)
                return made ? Result<void>() : made.error();
            SFG_TRY_ASSIGN(const Object old, lookup(parent, name));
            if (old.is_file() && old.stat().st_size == 0) return {};
            return Error(ErrorKind::exists, EEXIST,
                         "a file with contents has that name, and is not overwritten");
        });
}

Result<void> unlink_disk(const Disk& disk) {
    return with_parent<void>(disk,
                             [](const Object& parent, const std::string& name) -> Result<void> {
                                 SFG_TRY_ASSIGN(const Object file, lookup(parent, name));
                                 if (file.is_directory())
                                     return Error(ErrorKind::invalid, EISDIR, "it is a directory");
                                 return remove(parent, name);
                             });
}

Result<void> chown_disk(const Disk& disk, User owner) {
    return with_file<void>(disk, [owner](const Object& file) {
        std::optional<uid_t> user;
        std::optional<gid_t> group;
        if (owner.user != static_cast<uid_t>(-1)) user = owner.user;
        if (owner.group != static_cast<gid_t>(-1)) group = owner.group;
        return file.set_ownership(std::nullopt, user, group);
    });
}

}  // namespace sfg
