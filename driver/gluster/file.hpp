// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>
#include <time.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "driver/core/byte_source.hpp"
#include "driver/gluster/connection.hpp"

struct glfs_fd;

namespace sfg {

class Object;

// Leave to open for writing a file that is there already, or to remove it. Whoever could make one
// could change a volume without having asked whether another needs it; only these can:
class ChangeLeave {
    friend class Gate;       // volumes/gate.hpp, through which every change of a volume goes
    friend class Temporary;  // pools/temporaries.hpp, which removes its own name
    friend class Sweep;      // pools/temporaries.cpp: what killed processes left behind
    ChangeLeave() = default;
};

// An open file of a gluster volume. Closes itself; where something was written, close() tells
// whether that worked.
class File final : public ByteSource {
  public:
    // Takes over `fd`.
    File(std::shared_ptr<Connection> connection, glfs_fd* fd);

    static Result<File> open_for_reading(const Object& object);
    static Result<File> open_for_writing(const Object& object, ChangeLeave);

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override;
    Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) override;
    Result<std::uint64_t> size() override;
    Result<void> resize(std::uint64_t bytes) override;
    // Where the bricks' file system has no fallocate, zeros are written over what reads as zeros.
    Result<void> allocate(std::uint64_t offset, std::uint64_t length) override;
    Result<void> flush() override;
    // Sharded volumes cannot tell (glusterfs 10.3, shard_seek). Asks through a descriptor of its
    // own: glfs_lseek leaves its answer where glfs_pread and glfs_pwrite of other threads leave
    // theirs, and returns what it finds there (glfs-fops.c, glfd->offset).
    // Flushes before what was written: the bricks know nothing of it yet (write-behind has no
    // seek).
    Result<std::optional<Extent>> find_data(std::uint64_t from) override;
    // Gluster does not set the file's times for this (glusterfs 10.3, utime translator), so the
    // next flush does: who has cached the file would not notice otherwise.
    // Nothing is asked for behind the end, where a sharded volume would make the file longer.
    Result<void> discard(std::uint64_t offset, std::uint64_t length) override;

    // Flushes, and tells what the file's size and time of modification are then where gluster says
    // so along with it (no further call).
    struct Flushed {
        off_t size;
        timespec modified;
    };
    Result<std::optional<Flushed>> flush_and_tell();

    // Takes gluster's POSIX lock on a range, so that other processes and hosts see what is done
    // with this file; ErrorKind::busy where another owner has one in the way. A length of 0 reaches
    // to the end of all files. It ends with the file's close or with this process.
    enum class Lock { shared, exclusive };
    Result<void> lock(Lock kind, Extent range);
    // Gives it back; so does the end of the file.
    void unlock(Extent range);
    Result<void> lock_exclusively() { return lock(Lock::exclusive, {0, 0}); }

    // Where a lock of another owner would be in the way of an exclusive one on `range`; nothing
    // where none is.
    Result<std::optional<Extent>> foreign_lock(Extent range);

    // The file is closed after this, whatever it returns.
    Result<void> close();

  private:
    static Result<File> open(const Object& object, int flags);

    struct Closer {
        std::shared_ptr<Connection> connection;
        void operator()(glfs_fd* fd) const;
    };

    Result<void> fill_with_zeros(std::uint64_t offset, std::uint64_t length);
    Result<void> name_lock_owner();
    Result<void> set_time_of_modification();

    // Of find_data, opened at its first call.
    struct Seeker {
        std::mutex mutex;
        std::unique_ptr<glfs_fd, Closer> fd;
    };
    std::unique_ptr<Seeker> seeker_ = std::make_unique<Seeker>();

    std::unique_ptr<std::atomic<bool>> discarded_ =  // since the last flush
        std::make_unique<std::atomic<bool>>(false);
    std::unique_ptr<std::atomic<bool>> written_ = std::make_unique<std::atomic<bool>>(false);
    bool has_lock_owner_ = false;

    std::unique_ptr<glfs_fd, Closer> fd_;
};

}  // namespace sfg
