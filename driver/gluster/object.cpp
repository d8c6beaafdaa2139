// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/object.hpp"

#include <glusterfs/api/glfs-handles.h>

#include <array>
#include <cerrno>

namespace sfg {

Object::Object(std::shared_ptr<Connection> connection, glfs_object* handle, const struct stat& stat)
    : connection_(std::move(connection)),
      // The handle goes before the connection that it belongs to.
      handle_(handle, [keep = connection_](glfs_object* object) { glfs_h_close(object); }),
      stat_(stat) {
    glfs_h_extract_handle(handle, gfid_.bytes.data(), static_cast<int>(gfid_.bytes.size()));
}

Result<std::size_t> Object::read(std::uint64_t offset, std::span<std::byte> buffer) const {
    SFG_TRY_ASSIGN(glfs_t* const fs, connection_->fs());
    ssize_t got;
    do {
        got = glfs_h_anonymous_read(fs, handle(), buffer.data(), buffer.size(),
                                    static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    if (got < 0) return Error::from_errno(errno, "cannot read");
    // gfapi answers a read in full or up to the end of the file, so a short one is not asked again:
    // it would double the calls of a refresh.
    return static_cast<std::size_t>(got);
}

Result<std::optional<std::string>> Object::attribute(const char* name) const {
    SFG_TRY_ASSIGN(glfs_t* const fs, connection_->fs());
    std::array<char, 256> value;
    const ssize_t size = glfs_h_getxattrs(fs, handle(), name, value.data(), value.size());
    if (size >= 0) return std::optional(std::string(value.data(), static_cast<std::size_t>(size)));
    if (errno == ENODATA || errno == EOPNOTSUPP || errno == ERANGE)
        return std::optional<std::string>();
    return Error::from_errno(errno, "cannot read the attribute " + std::string(name));
}

Result<void> Object::set_attribute(const char* name, const std::string& value) const {
    SFG_TRY_ASSIGN(glfs_t* const fs, connection_->fs());
    if (glfs_h_setxattrs(fs, handle(), name, value.data(), value.size(), 0) < 0)
        return Error::from_errno(errno, "cannot record the attribute " + std::string(name));
    return {};
}

Result<void> Object::set_ownership(std::optional<mode_t> mode, std::optional<uid_t> owner,
                                   std::optional<gid_t> group) const {
    struct stat wanted {};
    int valid = 0;
    if (mode) {
        wanted.st_mode = *mode;
        valid |= GFAPI_SET_ATTR_MODE;
    }
    if (owner) {
        wanted.st_uid = *owner;
        valid |= GFAPI_SET_ATTR_UID;
    }
    if (group) {
        wanted.st_gid = *group;
        valid |= GFAPI_SET_ATTR_GID;
    }
    if (valid == 0) return {};
    SFG_TRY_ASSIGN(glfs_t* const fs, connection_->fs());
    if (glfs_h_setattrs(fs, handle(), &wanted, valid) < 0)
        return Error::from_errno(errno, "cannot set the owner and permissions");
    return {};
}

}  // namespace sfg
