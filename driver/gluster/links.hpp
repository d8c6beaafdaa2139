// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"
#include "driver/gluster/object.hpp"

namespace sfg {

// What a path leads to when symbolic links are followed.
struct Resolved {
    Object object;     // not a link
    std::string path;  // from the volume's root, without links, "." and ".."; "" is the root
};

// Follows `path` from the volume's root, links in its middle included. An absolute link means the
// volume's root, as over gfapi; nothing leads out of the volume. ErrorKind::not_found where it
// leads nowhere or further than 40 links (ELOOP), as Linux counts.
//
// Our own, because glfs_realpath answers with the link's own path (glusterfs 10.3), and gluster's
// resolver takes 400 ms to give up on a loop.
Result<Resolved> follow_links(const std::shared_ptr<Connection>& connection,
                              const std::string& path);

}  // namespace sfg
