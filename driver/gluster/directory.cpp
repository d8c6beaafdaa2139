// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <glusterfs/api/glfs-handles.h>

#include <array>
#include <cerrno>
#include <climits>

#include "driver/core/path.hpp"

namespace sfg {
namespace {

Result<Object> look_up(const std::shared_ptr<Connection>& connection, glfs_object* parent,
                       const char* name) {
    SFG_TRY_ASSIGN(glfs_t* const fs, connection->fs());
    struct stat stat {};
    glfs_object* const found = glfs_h_lookupat(fs, parent, name, &stat, 0);
    if (found == nullptr) return Error::from_errno(errno, "cannot look up");
    return Object(connection, found, stat);
}

using DirectoryStream = std::unique_ptr<glfs_fd_t, decltype(&glfs_closedir)>;
using EntryDetails = std::unique_ptr<glfs_xreaddirp_stat_t, decltype(&glfs_free)>;

}  // namespace

Result<Object> root_of(const std::shared_ptr<Connection>& connection) {
    SFG_TRY_ASSIGN([[maybe_unused]] glfs_t* const fs, connection->fs());
    glfs_object* const copy = glfs_object_copy(connection->root());
    if (copy == nullptr) return Error::from_errno(ENOMEM, "cannot look up");
    struct stat stat {};
    stat.st_mode = S_IFDIR;
    return Object(connection, copy, stat);
}

Result<void> check_alive(const std::shared_ptr<Connection>& connection) {
    SFG_TRY_ASSIGN(glfs_t* const fs, connection->fs());
    // Not a lookup: gfapi passes over the error of the root's own (glfs-resolve.c).
    struct stat stat {};
    if (glfs_h_stat(fs, connection->root(), &stat) < 0)
        return Error::from_errno(errno, "cannot look up the root");
    if (!S_ISDIR(stat.st_mode)) return Error::from_errno(ENOTCONN, "cannot look up the root");
    // And yet one: cluster/distribute knows the root's layout as it was at its last lookup. If a
    // brick was down then, the names that belong on it could not be made for ever (dht-layout.c,
    // dht_layout_search finds none: EIO). No other directory is kept for so long.
    glfs_object* const root = glfs_h_lookupat(fs, nullptr, "/", &stat, 0);
    if (root != nullptr) glfs_h_close(root);
    return {};
}

Result<Object> lookup(const Object& directory, const std::string& name) {
    return look_up(directory.connection(), directory.handle(), name.c_str());
}

Result<Object> lookup_path(const Object& start, std::string_view path) {
    Object at = start;
    for (const std::string& name : path_components(path)) {
        if (!at.is_directory())
            return Error(ErrorKind::not_found, ENOTDIR, "cannot look up: " + errno_text(ENOTDIR));
        SFG_TRY_ASSIGN(at, lookup(at, name));
    }
    return at;
}

Result<bool> exists(const std::shared_ptr<Connection>& connection, const Gfid& gfid) {
    SFG_TRY_ASSIGN(glfs_t* const fs, connection->fs());
    auto bytes = gfid.bytes;
    struct stat stat {};
    glfs_object* const found =
        glfs_h_create_from_handle(fs, bytes.data(), static_cast<int>(bytes.size()), &stat);
    if (found == nullptr) {
        const Error error = Error::from_errno(errno, "cannot look up");
        if (errno == ESTALE || error.kind() == ErrorKind::not_found) return false;
        return error;
    }
    glfs_h_close(found);
    return true;
}

Result<Object> make_directory(const Object& directory, const std::string& name, mode_t mode) {
    SFG_TRY_ASSIGN(glfs_t* const fs, directory.connection()->fs());
    struct stat stat {};
    glfs_object* const made = glfs_h_mkdir(fs, directory.handle(), name.c_str(), mode, &stat);
    if (made == nullptr) return Error::from_errno(errno, "cannot make the directory");
    return Object(directory.connection(), made, stat);
}

Result<CreatedFile> create_file(const Object& directory, const std::string& name, mode_t mode) {
    SFG_TRY_ASSIGN(glfs_t* const fs, directory.connection()->fs());
    struct stat stat {};
    glfs_fd_t* fd = nullptr;
    glfs_object* const made = glfs_h_creat_open(fs, directory.handle(), name.c_str(),
                                                O_RDWR | O_CREAT | O_EXCL, mode, &stat, &fd);
    if (made == nullptr) return Error::from_errno(errno, "cannot create");
    return CreatedFile{Object(directory.connection(), made, stat),
                       File(directory.connection(), fd)};
}

Result<void> link(const Object& object, const Object& directory, const std::string& name) {
    SFG_TRY_ASSIGN(glfs_t* const fs, directory.connection()->fs());
    if (glfs_h_link(fs, object.handle(), directory.handle(), name.c_str()) < 0)
        return Error::from_errno(errno, "cannot give the name");
    return {};
}

Result<void> remove_file(const Object& directory, const std::string& name, ChangeLeave) {
    SFG_TRY_ASSIGN(glfs_t* const fs, directory.connection()->fs());
    if (glfs_h_unlink(fs, directory.handle(), name.c_str()) < 0)
        return Error::from_errno(errno, "cannot remove");
    return {};
}

Result<void> remove_directory(const Object& directory, const std::string& name) {
    // glfs_h_unlink would remove a file as well (glfs-handleops.c).
    SFG_TRY_ASSIGN(const Object found, lookup(directory, name));
    if (!found.is_directory()) return Error::from_errno(ENOTDIR, "cannot remove");
    SFG_TRY_ASSIGN(glfs_t* const fs, directory.connection()->fs());
    if (glfs_h_unlink(fs, directory.handle(), name.c_str()) < 0)
        return Error::from_errno(errno, "cannot remove");
    return {};
}

DirectoryEntry::DirectoryEntry(const Object& directory, std::string name, glfs_object* handle,
                               const struct stat& stat)
    : directory_(directory), name_(std::move(name)), handle_(handle), stat_(stat) {
    glfs_h_extract_handle(handle, gfid_.bytes.data(), static_cast<int>(gfid_.bytes.size()));
}

DirectoryEntry::DirectoryEntry(const Object& directory, std::string name, Result<Object> looked_up)
    : directory_(directory), name_(std::move(name)), looked_up_(std::move(looked_up)) {
    if (!*looked_up_) return;
    gfid_ = (*looked_up_)->gfid();
    stat_ = (*looked_up_)->stat();
}

const Error* DirectoryEntry::error() const {
    return looked_up_ && !*looked_up_ ? &looked_up_->error() : nullptr;
}

Result<Object> DirectoryEntry::object() const {
    if (looked_up_) return *looked_up_;
    glfs_object* const copy = glfs_object_copy(handle_);
    if (copy == nullptr) return Error::from_errno(ENOMEM, "cannot look up");
    return Object(directory_.connection(), copy, stat_);
}

Result<void> list(const Object& directory,
                  const std::function<bool(const DirectoryEntry& entry)>& visit) {
    SFG_TRY_ASSIGN(glfs_t* const fs, directory.connection()->fs());
    const DirectoryStream stream(glfs_h_opendir(fs, directory.handle()), &glfs_closedir);
    if (!stream) return Error::from_errno(errno, "cannot open the directory");

    constexpr std::uint32_t kWanted = GFAPI_XREADDIRP_STAT | GFAPI_XREADDIRP_HANDLE;
    while (true) {
        // gluster's names have at most 255 bytes; struct dirent has room for them.
        dirent storage{};
        dirent* entry = nullptr;
        glfs_xreaddirp_stat_t* raw = nullptr;
        const int had = glfs_xreaddirplus_r(stream.get(), kWanted, &raw, &storage, &entry);
        const EntryDetails details(raw, &glfs_free);
        if (had < 0) return Error::from_errno(errno, "cannot read the directory");
        if (entry == nullptr) return {};
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;

        glfs_object_t* const handle = (had & GFAPI_XREADDIRP_HANDLE) != 0
                                          ? glfs_xreaddirplus_get_object(details.get())
                                          : nullptr;
        const struct stat* const stat =
            (had & GFAPI_XREADDIRP_STAT) != 0 ? glfs_xreaddirplus_get_stat(details.get()) : nullptr;
        // A directory that DHT lists has no trustworthy attributes on every brick, and an entry
        // may come without any: ask for it by name then.
        if (handle == nullptr || stat == nullptr || stat->st_nlink == 0) {
            auto object = lookup(directory, name);
            if (!object && object.error().kind() == ErrorKind::not_found) continue;
            if (!visit(DirectoryEntry(directory, name, std::move(object)))) return {};
            continue;
        }
        if (!visit(DirectoryEntry(directory, name, handle, *stat))) return {};
    }
}

Result<struct statvfs> file_system_usage(const Object& directory) {
    SFG_TRY_ASSIGN(glfs_t* const fs, directory.connection()->fs());
    struct statvfs usage {};
    if (glfs_h_statfs(fs, directory.handle(), &usage) < 0)
        return Error::from_errno(errno, "cannot ask for the free space");
    return usage;
}

}  // namespace sfg
