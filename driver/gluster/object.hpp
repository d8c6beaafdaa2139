// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "driver/core/result.hpp"
#include "driver/gluster/connection.hpp"
#include "driver/gluster/gfid.hpp"

struct glfs_object;

namespace sfg {

// A looked-up file, directory or link of a gluster volume: gfapi's object handle and what its
// lookup said of it. Operations by handle see no path, so they follow no symbolic link. The object
// keeps its connection. Copies share the handle. Thread-safe.
class Object {
  public:
    // Takes over `handle`.
    Object(std::shared_ptr<Connection> connection, glfs_object* handle, const struct stat& stat);

    const std::shared_ptr<Connection>& connection() const { return connection_; }
    glfs_object* handle() const { return handle_.get(); }
    const Gfid& gfid() const { return gfid_; }

    // As the lookup that made this object saw it.
    const struct stat& stat() const { return stat_; }
    bool is_directory() const { return S_ISDIR(stat_.st_mode); }
    bool is_file() const { return S_ISREG(stat_.st_mode); }
    bool is_link() const { return S_ISLNK(stat_.st_mode); }

    // Errors of the calls below carry the errno and no name: the caller knows what the user calls
    // this thing.

    // Reads without opening. Fewer bytes than asked for only at the end of the file.
    Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> buffer) const;

    // An extended attribute; nothing where it is not set or the volume cannot store it.
    Result<std::optional<std::string>> attribute(const char* name) const;
    Result<void> set_attribute(const char* name, const std::string& value) const;

    // What is not given stays. Values as chmod and chown take them.
    Result<void> set_ownership(std::optional<mode_t> mode, std::optional<uid_t> owner,
                               std::optional<gid_t> group) const;

  private:
    std::shared_ptr<Connection> connection_;
    std::shared_ptr<glfs_object> handle_;
    Gfid gfid_;
    struct stat stat_;
};

}  // namespace sfg
