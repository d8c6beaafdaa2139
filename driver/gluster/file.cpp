// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/file.hpp"

#include <fcntl.h>
#include <glusterfs/api/glfs-handles.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>
#include <utility>
#include <vector>

#include "driver/core/zeros.hpp"
#include "driver/gluster/object.hpp"

namespace sfg {
namespace {

// gfapi takes offsets as off_t.
bool fits_offset(std::uint64_t offset, std::uint64_t length) {
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
    return offset <= kLargest && length <= kLargest - offset;
}

Error too_large() {
    return Error(ErrorKind::no_space, EFBIG, "a file cannot be that large");
}

// A lock owner of its own for each open file: without one, all calls of a glfs_t share owner zero
// and two locks taken by one process would never conflict.
struct LockOwner {
    std::uint64_t process = static_cast<std::uint64_t>(getpid());
    std::uint64_t number = next();

    static std::uint64_t next() {
        static std::atomic<std::uint64_t> counter{1};
        return counter++;
    }
};

struct flock flock_of(short type, Extent range) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(range.offset);
    lock.l_len = static_cast<off_t>(range.length);
    return lock;
}

}  // namespace

void File::Closer::operator()(glfs_fd* fd) const {
    glfs_close(fd);
}

File::File(std::shared_ptr<Connection> connection, glfs_fd* fd)
    : fd_(fd, Closer{std::move(connection)}) {}

Result<File> File::open_for_reading(const Object& object) {
    return open(object, O_RDONLY);
}

Result<File> File::open_for_writing(const Object& object, ChangeLeave) {
    return open(object, O_RDWR);
}

Result<File> File::open(const Object& object, int flags) {
    SFG_TRY_ASSIGN(glfs_t* const fs, object.connection()->fs());
    glfs_fd* const fd = glfs_h_open(fs, object.handle(), flags);
    if (fd == nullptr) return Error::from_errno(errno, "cannot open");
    return File(object.connection(), fd);
}

Result<std::size_t> File::read_at(std::uint64_t offset, std::span<std::byte> buffer) {
    if (!fits_offset(offset, buffer.size())) return std::size_t{0};
    std::size_t done = 0;
    while (done < buffer.size()) {
        const ssize_t got = glfs_pread(fd_.get(), buffer.data() + done, buffer.size() - done,
                                       static_cast<off_t>(offset + done), 0, nullptr);
        if (got < 0) {
            if (errno == EINTR) continue;
            return Error::from_errno(errno, "cannot read");
        }
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Result<void> File::write_at(std::uint64_t offset, std::span<const std::byte> data) {
    if (!fits_offset(offset, data.size())) return too_large();
    *written_ = true;
    std::size_t done = 0;
    while (done < data.size()) {
        const ssize_t put = glfs_pwrite(fd_.get(), data.data() + done, data.size() - done,
                                        static_cast<off_t>(offset + done), 0, nullptr, nullptr);
        if (put < 0) {
            if (errno == EINTR) continue;
            return Error::from_errno(errno, "cannot write");
        }
        done += static_cast<std::size_t>(put);
    }
    return {};
}

Result<std::uint64_t> File::size() {
    struct stat stat;
    if (glfs_fstat(fd_.get(), &stat) < 0)
        return Error::from_errno(errno, "cannot ask for the size");
    return static_cast<std::uint64_t>(stat.st_size);
}

Result<void> File::resize(std::uint64_t bytes) {
    if (!fits_offset(bytes, 0)) return too_large();
    if (glfs_ftruncate(fd_.get(), static_cast<off_t>(bytes), nullptr, nullptr) < 0)
        return Error::from_errno(errno, "cannot set the size");
    return {};
}

Result<void> File::allocate(std::uint64_t offset, std::uint64_t length) {
    if (!fits_offset(offset, length)) return too_large();
    if (length == 0) return {};
    // In steps: a brick that is asked for terabytes at once answers after gluster's ping timeout.
    constexpr std::uint64_t kStep = std::uint64_t{1} << 30;
    for (std::uint64_t done = 0; done < length;) {
        const std::uint64_t step = std::min(kStep, length - done);
        if (glfs_fallocate(fd_.get(), 0, static_cast<off_t>(offset + done), step) < 0) {
            if (errno == EINTR) continue;
            if (errno == EOPNOTSUPP || errno == ENOSYS)
                return fill_with_zeros(offset + done, length - done);
            return Error::from_errno(errno, "cannot allocate the space");
        }
        done += step;
    }
    return {};
}

// Writes zeros where the file reads as zeros or ends, so that what was there stays.
Result<void> File::fill_with_zeros(std::uint64_t offset, std::uint64_t length) {
    constexpr std::size_t kStep = std::size_t{1} << 20;
    constexpr std::size_t kBlock = std::size_t{64} << 10;
    std::vector<std::byte> old(kStep);
    const std::vector<std::byte> zeros(kStep);
    for (std::uint64_t done = 0; done < length;) {
        const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(kStep, length - done));
        SFG_TRY_ASSIGN(const std::size_t present,
                       read_at(offset + done, std::span(old).first(step)));
        std::fill(old.begin() + static_cast<std::ptrdiff_t>(present), old.end(), std::byte{0});
        // Data has its storage already, and somebody may be writing to it.
        for (std::size_t at = 0; at < step; at += kBlock) {
            const std::size_t block = std::min(kBlock, step - at);
            if (!all_zeros(std::span(old).subspan(at, block))) continue;
            SFG_TRY(write_at(offset + done + at, std::span(zeros).first(block)));
        }
        done += step;
    }
    return {};
}

Result<void> File::flush() {
    SFG_TRY(flush_and_tell());
    return {};
}

Result<std::optional<File::Flushed>> File::flush_and_tell() {
    *written_ = false;
    if (discarded_->exchange(false)) {
        if (auto set = set_time_of_modification(); !set) {
            *discarded_ = true;
            return set.error();
        }
    }
    struct glfs_stat after {};
    if (glfs_fsync(fd_.get(), nullptr, &after) < 0)
        return Error::from_errno(errno, "cannot flush to stable storage");
    constexpr auto kNeeded = GLFS_STAT_SIZE | GLFS_STAT_MTIME;
    if ((after.glfs_st_mask & kNeeded) != kNeeded || after.glfs_st_mtime.tv_sec == 0)
        return std::optional<Flushed>();
    return std::optional(Flushed{after.glfs_st_size, after.glfs_st_mtime});
}

Result<std::optional<Extent>> File::find_data(std::uint64_t from) {
    if (!fits_offset(from, 0)) return std::optional<Extent>();
    if (*written_) SFG_TRY(flush());
    const std::lock_guard held(seeker_->mutex);
    auto& fd = seeker_->fd;
    if (!fd) {
        // Closed with the file and not before: closing any descriptor of an open file takes the
        // locks of the others along (locks translator, pl_flush).
        fd = {glfs_dup(fd_.get()), Closer{fd_.get_deleter().connection}};
        if (!fd) return Error::from_errno(errno, "cannot look for data");
    }
    const off_t data = glfs_lseek(fd.get(), static_cast<off_t>(from), SEEK_DATA);
    if (data < 0) {
        if (errno == ENXIO) return std::optional<Extent>();
        if (errno == ENOTSUP || errno == ENOSYS || errno == EINVAL)
            return ByteSource::find_data(from);
        return Error::from_errno(errno, "cannot look for data");
    }
    const off_t hole = glfs_lseek(fd.get(), data, SEEK_HOLE);
    if (hole < 0) return Error::from_errno(errno, "cannot look for holes");
    if (hole <= data) return Error(ErrorKind::io, EIO, "the storage names a hole within data");
    return std::optional(
        Extent{static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data)});
}

Result<void> File::discard(std::uint64_t offset, std::uint64_t length) {
    if (!fits_offset(offset, length)) return too_large();
    SFG_TRY_ASSIGN(const std::uint64_t end, size());
    if (offset >= end || length == 0) return {};
    length = std::min(length, end - offset);
    // In steps: a file system may take long to free terabytes of scattered blocks at once, and a
    // brick that does not answer for gluster's ping timeout is given up.
    constexpr std::uint64_t kStep = std::uint64_t{16} << 30;
    for (std::uint64_t done = 0; done < length;) {
        const std::uint64_t step = std::min(kStep, length - done);
        if (glfs_discard(fd_.get(), static_cast<off_t>(offset + done), step) < 0) {
            if (errno == EINTR) continue;
            return Error::from_errno(errno, "cannot give space back");
        }
        *discarded_ = true;
        done += step;
    }
    return {};
}

Result<void> File::set_time_of_modification() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const timespec times[2] = {now, now};
    if (glfs_futimens(fd_.get(), times) < 0)
        return Error::from_errno(errno, "cannot set the time of modification");
    return {};
}

Result<void> File::name_lock_owner() {
    if (std::exchange(has_lock_owner_, true)) return {};
    LockOwner owner;
    if (glfs_fd_set_lkowner(fd_.get(), &owner, sizeof(owner)) < 0)
        return Error::from_errno(errno, "cannot name the owner of a lock");
    return {};
}

Result<void> File::lock(Lock kind, Extent range) {
    SFG_TRY(name_lock_owner());
    struct flock wanted = flock_of(kind == Lock::shared ? F_RDLCK : F_WRLCK, range);
    if (glfs_posix_lock(fd_.get(), F_SETLK, &wanted) < 0)
        return Error::from_errno(errno, "cannot lock");
    return {};
}

void File::unlock(Extent range) {
    struct flock wanted = flock_of(F_UNLCK, range);
    glfs_posix_lock(fd_.get(), F_SETLK, &wanted);
}

Result<std::optional<Extent>> File::foreign_lock(Extent range) {
    struct flock found = flock_of(F_WRLCK, range);
    if (glfs_posix_lock(fd_.get(), F_GETLK, &found) < 0)
        return Error::from_errno(errno, "cannot ask for locks");
    if (found.l_type == F_UNLCK) return std::optional<Extent>();
    return std::optional(
        Extent{static_cast<std::uint64_t>(found.l_start), static_cast<std::uint64_t>(found.l_len)});
}

Result<void> File::close() {
    seeker_.reset();
    const std::shared_ptr<Connection> keep = fd_.get_deleter().connection;
    if (glfs_close(fd_.release()) < 0) return Error::from_errno(errno, "cannot close");
    return {};
}

}  // namespace sfg
