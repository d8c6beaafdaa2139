// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/object.hpp"

namespace sfg {

// While this stands, the gluster calls of this thread are those of that user, and the bricks check
// what he may. gfapi keeps the ids a thread (glfs.c, glfs_setfsuid): they are root's again after
// this.
class AsUser {
  public:
    static Result<std::unique_ptr<AsUser>> become(uid_t user, gid_t group,
                                                  const std::vector<gid_t>& groups);
    ~AsUser();
    AsUser(const AsUser&) = delete;
    AsUser& operator=(const AsUser&) = delete;

  private:
    AsUser() = default;
};

// Whether this thread's user may do that with the object: R_OK, W_OK and X_OK as access(2) takes
// them.
Result<void> check_access(const Object& object, int mode);

}  // namespace sfg
