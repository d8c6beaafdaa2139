// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/statvfs.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "driver/core/result.hpp"
#include "driver/gluster/file.hpp"
#include "driver/gluster/object.hpp"

namespace sfg {

// The tree of a gluster volume, a directory at a time. A `name` is one component, never a path,
// and no call follows a symbolic link unless it says so. Errors carry the errno and a few words;
// the caller puts the user's name of the thing before them.

// The volume's root. Asks nobody: its stat() says only that it is a directory.
Result<Object> root_of(const std::shared_ptr<Connection>& connection);

// Does the volume answer? ErrorKind::not_connected, most often, where it does not. Looks the root
// up anew.
Result<void> check_alive(const std::shared_ptr<Connection>& connection);

Result<Object> lookup(const Object& directory, const std::string& name);

// Walks `path` ("a/b/c", empty components are passed over) from `start`. A component on the way
// that is not a directory, a link included, is ErrorKind::not_found with ENOTDIR.
Result<Object> lookup_path(const Object& start, std::string_view path);

// Whether the volume has a file of this gfid, under whatever name.
Result<bool> exists(const std::shared_ptr<Connection>& connection, const Gfid& gfid);

// ErrorKind::exists where the name is taken.
Result<Object> make_directory(const Object& directory, const std::string& name, mode_t mode);

struct CreatedFile {
    Object object;
    File file;
};

// Makes and opens for writing; ErrorKind::exists where the name is taken.
Result<CreatedFile> create_file(const Object& directory, const std::string& name, mode_t mode);

// Gives `object` a further name; ErrorKind::exists where it is taken (nothing is overwritten).
Result<void> link(const Object& object, const Object& directory, const std::string& name);

// Removes a file's name.
Result<void> remove_file(const Object& directory, const std::string& name, ChangeLeave leave);

// Removes an empty directory: errno ENOTEMPTY where it is not empty, ENOTDIR where another host has
// put a file there.
Result<void> remove_directory(const Object& directory, const std::string& name);

// An entry of a directory as a listing shows it. Valid during the visit only.
class DirectoryEntry {
  public:
    DirectoryEntry(const Object& directory, std::string name, glfs_object* handle,
                   const struct stat& stat);
    DirectoryEntry(const Object& directory, std::string name, Result<Object> looked_up);

    const std::string& name() const { return name_; }
    // Why nothing is known of the entry but its name; null where all is well.
    const Error* error() const;
    const Gfid& gfid() const { return gfid_; }
    const struct stat& stat() const { return stat_; }
    // For keeping: takes a reference to the handle, makes no call to a brick.
    Result<Object> object() const;

  private:
    const Object& directory_;
    std::string name_;
    glfs_object* handle_ = nullptr;  // the listing's own
    std::optional<Result<Object>> looked_up_;
    Gfid gfid_;
    struct stat stat_ {};
};

// Calls `visit` for each entry but "." and "..", in the server's order, looked up along with the
// name (no call for each), until it returns false. An entry that vanished meanwhile is passed over.
Result<void> list(const Object& directory,
                  const std::function<bool(const DirectoryEntry& entry)>& visit);

Result<struct statvfs> file_system_usage(const Object& directory);

}  // namespace sfg
