// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"
#include "driver/gluster/object.hpp"

namespace sfg {

// A pool as libvirt defines it: a directory of a gluster volume.
struct Pool {
    std::string name;  // empty for a directory that no pool need have: where a guest's disk is
    VolumeAddress address;
    std::string directory;   // from the volume's root, normalized: "" is the root
    std::string uri_prefix;  // gluster://host/volume/

    auto operator<=>(const Pool&) const = default;

    // From what the pool's XML says. ErrorKind::invalid for a volume name with a '/', a path that
    // does not begin with '/' or has "..", and a pool without hosts.
    static Result<Pool> make(std::string name, std::string volume, const std::string& directory,
                             std::vector<Server> servers);

    // The volume's path as gluster://: what libvirt shows as its path and key.
    std::string uri_of(const std::string& path_in_volume) const;

    // "pool 'x'"
    std::string described() const {
        return name.empty() ? "gluster volume '" + address.volume + "'" : "pool '" + name + "'";
    }
};

// Sees to it that there is a connection; asks it nothing.
Result<void> connect_pool(const Pool& pool);

// A pool's directory, looked up now.
struct OpenPool {
    Pool pool;
    Object directory;

    const std::shared_ptr<Connection>& connection() const { return directory.connection(); }
    const std::string& volume_id() const { return connection()->volume_id(); }
};

// Connects, or takes the connection there is, and looks the pool's directory up. When the kept
// connection is dead and gluster is back, connects anew. ErrorKind::pool_missing where the
// directory is missing, with the way to make it.
Result<OpenPool> open_pool(const Pool& pool);

// The same, but satisfied with what was looked up less than a second ago, as a FUSE mount is: a
// pool's directory does not move, and each question costs a round trip to the bricks. After any
// failure call forget_recent_pool, so that the next call asks again.
Result<OpenPool> recent_pool(const Pool& pool);
void forget_recent_pool(const Pool& pool);

// Makes the pool's directory, parents included; fine where it is there.
Result<void> build_pool(const Pool& pool);

// Removes the pool's directory: only an empty one, and never the volume's root.
Result<void> delete_pool(const Pool& pool);

// Directories are for qemu's user to pass through.
inline constexpr mode_t kDirectoryMode = 0755;

struct Usage {
    std::uint64_t capacity = 0;  // bytes, of the file system below
    std::uint64_t allocation = 0;
    std::uint64_t available = 0;
};

Result<Usage> usage_of(const OpenPool& pool);

}  // namespace sfg
