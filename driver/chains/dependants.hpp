// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "driver/core/result.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// Refuses where a volume needs the file `base`, at `path` from the root of its gluster volume: as
// its direct base, or as the file that its data is in. With `capacity` only those count that are
// larger than that many bytes: what a shrunk base still has is enough for the others.
//
// All directories of that gluster volume that active pools here have are read anew, headers only
// where they changed. A base is recognised by what its name leads to, under whatever name
// (images/recorded_name.hpp): relative, gluster URI, path on a FUSE mount. Pools of other hosts
// over other directories cannot be seen. What is not certain counts as yes:
//   a name that cannot be understood, and a path of whatever host that ends with the base's own
//     name, where this host's mount table does not say what it is (it is not looked at: it may be
//     on a file system that hangs, and a stranger has written it);
//   an image that cannot be read now and never could be here.
// The configuration names images to be passed over (ignore-images).
//
// That every brick was there meanwhile is for the caller to see to (gluster/attendance.hpp).
//
// Errors, each of which names what is in the way and what settles it:
//   busy           there is one, or may be one
//   not_connected  a brick is away that may have one
//   io             gluster does not give a directory
// Takes as long as a refresh of these directories in which nothing has changed.
Result<void> check_no_dependants(const OpenPool& pool, const Object& base, const std::string& path,
                                 std::optional<std::uint64_t> capacity);

}  // namespace sfg
