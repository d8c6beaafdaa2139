// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "driver/core/result.hpp"
#include "driver/disks/disk.hpp"

namespace sfg {

// Whom an image may lead us to. A gluster client runs commands that stand in a volume file
// (libglusterfs graph.y), so that connecting to a server that a tenant wrote into a qcow2 header
// would run his programs as root. Servers come from the definitions of guests that this process was
// given, from active pools, and from trusted-servers of the configuration. Thread-safe.
class KnownServers {
  public:
    static KnownServers& instance();

    // Where to reach the volume of `disk`. An address that a definition gives is taken as it is. Of
    // one that an image gives, every server must be known here as one of that volume; the address
    // of the pool or the definition that knows it is the answer, so that one connection serves
    // both. ErrorKind::denied where one is not known, ErrorKind::invalid for a name that no volume
    // has; nothing was connected to then.
    Result<VolumeAddress> address_of(const Disk& disk);

    // A definition's address has been connected to: it is known from now on. Not before, so that
    // the number of addresses that are kept is that of connections.
    void remember(const VolumeAddress& address);

  private:
    std::optional<VolumeAddress> known(const std::string& volume, const Server& server);

    std::mutex mutex_;
    std::set<VolumeAddress> of_definitions_;
};

}  // namespace sfg
