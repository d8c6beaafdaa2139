// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "driver/core/fuse_mounts.hpp"
#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"
#include "driver/gluster/connection.hpp"
#include "driver/images/recorded_name.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// A file of a gluster volume: where a base is, or where an image's header says that one is. It
// need not exist.
struct Place {
    std::shared_ptr<Connection> connection;
    VolumeAddress address;
    std::string path;  // from the volume's root, normalized

    bool operator==(const Place& other) const {
        return connection->volume_id() == other.connection->volume_id() && path == other.path;
    }
};

// A file of the pool's gluster volume.
Place place_in(const OpenPool& pool, std::string path);

// What a gluster URI means that a user gave. ErrorKind::denied where no active pool names its
// host, ErrorKind::unsupported for transports other than tcp.
Result<Place> place_of_requested_uri(const std::string& text);

// The file of a known gluster volume behind a path on a FUSE mount; nothing where the mount is of
// a volume that no pool here has. That the names agree is no proof, the gfid is: another cluster
// may have a volume of the same name. ErrorKind::not_found where there is no such file.
Result<std::optional<Place>> place_of_fuse_path(const std::string& path, const FusePath& fuse);

// Where an image says that its base lies, if that is in a gluster volume of an active pool: a
// stranger wrote this name, so nothing is connected to or opened for it. `at` is the image's own
// place; nothing for a local file, whose relative names are local too. Nothing for a name that may
// mean several files, or more than a file (RecordedName::plain).
std::optional<Place> place_of_recorded(const std::optional<Place>& at,
                                       const RecordedName& recorded);

// The file at `place`; a link is followed where it stays in the volume, and `place` is then that
// of the file itself. `who` is how errors name it.
Result<Object> look_up_place(Place& place, const std::string& who);

// Refuses (ErrorKind::busy) where another file is listed there than the one of this gfid: what the
// user means is the one that he was shown. `asked` is the pool that he works with; where that one
// does not list the place, all others that do must agree.
Result<void> check_is_listed(const OpenPool& asked, const Place& place, const Gfid& gfid,
                             const std::string& who);

}  // namespace sfg
