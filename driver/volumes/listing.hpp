// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/chains/backing.hpp"
#include "driver/core/result.hpp"
#include "driver/images/image_info.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// A volume as libvirt shows it.
struct ListedVolume {
    std::string name;  // below the pool's directory
    std::string uri;   // its key and path
    bool directory = false;
    struct stat stat {};
    std::shared_ptr<const ImageInfo> image;  // never null
    std::optional<BackingShown> backing;
};

struct Listing {
    std::vector<ListedVolume> volumes;  // in no order
    Usage usage;
};

// Reads the tree below the pool's directory: a refresh. Several headers are read at once, none
// that is in the cache. Entries that are no volumes (is_shown, links that lead out of the pool) are
// left out, old temporaries are removed. What is learned goes into the Catalogue and the pool into
// KnownPools.
//
// Where a brick is away and hides a part of the pool, what was known of that part stays listed as
// it was, with a line in the log that names the brick.
//
// Gives up when gluster shows no sign of life for settings().connect_timeout; the calls that hang
// then end on their own threads.
Result<Listing> refresh_pool(const Pool& pool);

// One volume as it is now. ErrorKind::not_found where it is not there.
Result<ListedVolume> look_at_volume(const OpenPool& pool, const std::string& name);

}  // namespace sfg
