// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <vector>

namespace sfg {

// The groups that a process of `user` with the group `group` has once initgroups has run; `group`
// alone for a user that this host does not know. May ask whoever the host asks for its users.
std::vector<gid_t> groups_of(uid_t user, gid_t group);

}  // namespace sfg
