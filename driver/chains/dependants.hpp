// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// A volume that has another as its base.
struct Dependant {
    std::string name;            // below the directory of `pool`
    std::string pool;            // a pool that has it
    std::uint64_t capacity = 0;  // bytes
};

// The volumes that have the file `base`, at `path` from the root of its gluster volume, as their
// direct base. All directories of that gluster volume that active pools here have are read anew,
// headers only where they changed. A base is recognised by what its name leads to, under whatever
// name: relative, gluster URI, or path on a FUSE mount; a path whose mount this host does not have
// counts when it ends like the base's own and leads nowhere here. Pools of other hosts over other
// directories cannot be seen.
//
// Fails where an image cannot be read: it may be one that needs the base. Takes as long as a
// refresh of these directories in which nothing has changed.
Result<std::vector<Dependant>> dependants_of(const OpenPool& pool, const Object& base,
                                             const std::string& path);

// ErrorKind::busy that names them, where there are any.
Result<void> check_no_dependants(const OpenPool& pool, const Object& base, const std::string& path);

// "volume 'a' of pool 'p'", "volumes 'a', 'b' and 3 more of pool 'p'"
std::string list_of(const std::vector<Dependant>& dependants);

}  // namespace sfg
