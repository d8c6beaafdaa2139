// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include "driver/core/local_file.hpp"
#include "driver/core/result.hpp"
#include "driver/gluster/file.hpp"
#include "driver/gluster/object.hpp"

namespace sfg {

// Who works with which file, so that nobody pulls it from under another. Within this process a
// table keyed by volume-id and gfid says it, whatever pools and names lead to the file (libvirt's
// own counters know of one pool's volume, and end when a call returns while its stream runs on).
// Between processes and hosts gluster's POSIX locks say it:
//   shared     a read lock on the bytes before qemu's,
//   exclusive  a write lock on the whole file. It cannot be had while a guest has the file open
//              over FUSE, since qemu then holds read locks on bytes 100 to 203 (qemu's
//              block/file-posix.c), and qemu cannot open the file while it is held.
// qemu over gfapi takes no locks, so a guest with a network disk is not seen.
enum class FileUse {
    shared,     // read as a base or a source, or downloaded
    exclusive,  // written to, resized or deleted
};

// Held until the last copy is gone.
using FileHold = std::shared_ptr<void>;

// A file in use, open for what the use needs. The lock goes with `file`.
struct UsedFile {
    FileHold hold;
    File file;
    FileUse use;
};

// Takes both. `doing` is a clause for those who are refused meanwhile: "it is being wiped".
// ErrorKind::busy, with what is in the way, where it cannot be had; with ETXTBSY if it is a guest.
Result<UsedFile> use_shared(const Object& object, const std::string& doing);
Result<UsedFile> use_exclusively(const Object& object, const std::string& doing, ChangeLeave leave);

// Takes the lock once more, for the moment before what cannot be taken back: a brick that was
// restarted has forgotten all locks, and its clients do not take theirs anew (client.strict-locks
// would rather have them lose the open file), so that another may hold the file since.
// ErrorKind::busy where one does. Waits for a brick that is coming back, for five seconds.
Result<void> take_again(UsedFile& used);

// The table only: for what cannot be opened and locked (directories).
Result<FileHold> hold_object(const Object& object, FileUse use, const std::string& doing);

// Sees to it that no guest writes to the file over FUSE, on any host, as long as it is used: for
// images, whose tables must not change while they are copied. ErrorKind::busy where one may.
Result<void> keep_guests_from_writing(UsedFile& used);
// Whether one does just now.
Result<bool> is_written_by_guests(UsedFile& used);
// The same for a file of this host, as long as it is open.
Result<void> keep_guests_from_writing(LocalFile& file);

}  // namespace sfg
