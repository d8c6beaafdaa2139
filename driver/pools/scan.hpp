// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/object.hpp"
#include "driver/images/image_info.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

struct ScannedEntry {
    std::string name;  // below the pool's directory
    Gfid gfid;         // of what stands under the name: for a link the link's own; may be unknown
    struct stat stat;  // for a link of what it leads to
    std::shared_ptr<const ImageInfo> image;  // files only
    bool link = false;
    Gfid target;  // the file itself, where a link leads
};

// A temporary of this driver's, of whatever process or host.
struct ScannedTemporary {
    Object directory;
    std::string name;  // below the pool's directory
    Object object;
};

struct Scan {
    OpenPool pool;
    std::uint64_t since;                // Catalogue::begin_refresh, before the first listing
    std::vector<ScannedEntry> entries;  // in no order
    std::vector<ScannedTemporary> temporaries;
    Usage usage;  // of a refresh
};

enum class ScanFor {
    refresh,  // what is there to be shown; what cannot be read is left out, with a line in the log
    // A quick look for images, in which nothing may be missed: names that are not shown are looked
    // at, too, links are followed wherever they lead in the gluster volume, a directory that cannot
    // be read is an error, and a file that cannot be an entry whose image is `unreadable`. (That
    // all bricks were there is not looked at here: gluster/attendance.hpp.)
    dependants,
};

// Walks the tree of a pool with up to eight threads, which end with it. Fails with
// ErrorKind::not_connected when nothing happens for `patience`; threads that hang in gluster are
// left behind and end when it lets them go.
Result<Scan> scan_pool(const Pool& pool, ScanFor purpose, std::chrono::milliseconds patience);

}  // namespace sfg
