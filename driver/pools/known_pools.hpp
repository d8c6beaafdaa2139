// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "driver/gluster/uri.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// The pools that are active in this process: whom we may connect to. A gluster client runs
// commands that stand in a volume file (libglusterfs graph.y), so a server that only an image names
// is never asked. Thread-safe.
class KnownPools {
  public:
    static KnownPools& instance();

    void add(const Pool& pool);
    void remove(const std::string& name);
    // Its directory is gone: nothing can be in it.
    void forget(const Pool& pool);

    // How to reach `volume` of `server`, by the pool that has it or by another pool that knows the
    // server; nothing where none does.
    std::optional<VolumeAddress> address_for(const std::string& volume, const Server& server);

    // The same for what a stranger wrote: only a volume that a pool has.
    std::optional<VolumeAddress> pool_for(const std::string& volume, const Server& server);

    // The addresses of the volumes of that name.
    std::vector<VolumeAddress> volumes_named(const std::string& volume);

    // All of them.
    std::vector<Pool> all();
    // And those that have been active since this process began: an outage may have stopped a pool
    // whose volumes need others.
    std::vector<Pool> all_ever();

  private:
    std::mutex mutex_;
    std::map<std::string, Pool> pools_;
    std::map<std::string, Pool> stopped_;
};

}  // namespace sfg
