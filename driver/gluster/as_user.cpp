// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/as_user.hpp"

#include <glusterfs/api/glfs-handles.h>

#include <cerrno>

namespace sfg {

Result<std::unique_ptr<AsUser>> AsUser::become(uid_t user, gid_t group,
                                               const std::vector<gid_t>& groups) {
    std::unique_ptr<AsUser> become(new AsUser);
    if (glfs_setfsgroups(groups.size(), groups.data()) < 0 || glfs_setfsgid(group) < 0 ||
        glfs_setfsuid(user) < 0)
        return Error::from_errno(errno, "cannot act as another user");
    return become;
}

AsUser::~AsUser() {
    glfs_setfsuid(0);
    glfs_setfsgid(0);
    glfs_setfsgroups(0, nullptr);
}

Result<void> check_access(const Object& object, int mode) {
    SFG_TRY_ASSIGN(glfs_t* const fs, object.connection()->fs());
    if (glfs_h_access(fs, object.handle(), mode) < 0)
        return Error::from_errno(errno, "no permission");
    return {};
}

}  // namespace sfg
