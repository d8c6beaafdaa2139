// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/disks/disk.hpp"

namespace sfg {

// What libvirt's qemu driver asks of an image of a guest. Each call waits for gluster a few times
// connect-timeout at most: to connect, for an answer, and where a connection has died for both
// again. Symbolic links are followed inside the volume, as qemu follows them over gfapi. All but
// `check_disk_access` act as root, as libvirt's own backend for files does. Error kinds besides
// those of gluster: denied for a server that only an image names.

// Connects and sees to it that gluster answers.
Result<void> connect_disk(const Disk& disk);

Result<struct stat> stat_disk(const Disk& disk);

// At most `length` bytes from `offset` on; fewer only at the end of the file.
Result<std::vector<std::byte>> read_disk(const Disk& disk, std::uint64_t offset,
                                         std::size_t length);

struct User {
    uid_t user = 0;
    gid_t group = 0;
};

// Whether that user may pass through the directories on the way to the image and do with it what
// `mode` says (as access(2) takes it; F_OK: it is there).
Result<void> check_disk_access(const Disk& disk, int mode, User user);

// An empty file that only root may read; parents must be there. ErrorKind::exists where the name is
// taken: libvirt asks before it overwrites local files, and does not ask for network disks
// (qemu_snapshot.c, 9.0.0). An empty one may be another host's, about to be formatted.
Result<void> create_disk(const Disk& disk);

Result<void> unlink_disk(const Disk& disk);

// (uid_t)-1 and (gid_t)-1 leave the owner as it is. libvirt gives a network disk to qemu's user at
// the start of a guest and to root at its end (security_dac.c, 9.0.0: of network disks it remembers
// no owner). So the owner that an image had before is kept in an attribute, and gets it back when
// it would be given to root.
Result<void> chown_disk(const Disk& disk, User owner);

}  // namespace sfg
