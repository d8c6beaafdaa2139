// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/local_file.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

namespace sfg {

static_assert(sizeof(off_t) == 8, "files of more than 2 GiB need a 64-bit off_t");

namespace {

// Whether [offset, offset + length) can be said in an off_t.
bool is_range(std::uint64_t offset, std::uint64_t length) {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
    return offset <= kMax && length <= kMax - offset;
}

struct flock lock_of(short type, std::uint64_t byte) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(byte);
    lock.l_len = 1;
    return lock;
}

}  // namespace

LocalFile::LocalFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

LocalFile::~LocalFile() {
    if (fd_ >= 0) ::close(fd_);
}

Error LocalFile::failed(int system_errno, const char* what) const {
    return Error::from_errno(system_errno, std::string("cannot ") + what + " '" + path_ + "'");
}

Result<std::unique_ptr<LocalFile>> LocalFile::open(const std::string& path, Mode mode) {
    // Without O_NONBLOCK, opening a FIFO waits for its other end. It means nothing for the files
    // that are accepted below.
    const int flags =
        O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (mode == Mode::read_only ? O_RDONLY : O_RDWR | O_CREAT);
    const int fd = ::open(path.c_str(), flags, 0600);
    if (fd < 0) return Error::from_errno(errno, "cannot open '" + path + "'");
    return checked(fd, path);
}

Result<std::unique_ptr<LocalFile>> LocalFile::open_beneath(const std::string& directory,
                                                           const std::string& path) {
    const int root = ::open(directory.c_str(), O_CLOEXEC | O_DIRECTORY | O_PATH);
    if (root < 0) return Error::from_errno(errno, "cannot open '" + directory + "'");
    struct open_how how {};
    how.flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_RDONLY;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    // glibc 2.36 has no wrapper.
    const auto fd = static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how)));
    const int error = errno;
    ::close(root);
    const std::string whole = directory + "/" + path;
    if (fd < 0) {
        if (error == ELOOP || error == EXDEV)
            return Error(ErrorKind::denied, error,
                         "'" + whole + "' leads through a symbolic link, which is not followed");
        return Error::from_errno(error, "cannot open '" + whole + "'");
    }
    return checked(fd, whole);
}

Result<std::unique_ptr<LocalFile>> LocalFile::checked(int fd, const std::string& path) {
    std::unique_ptr<LocalFile> file(new LocalFile(fd, path));
    struct stat status {};
    if (::fstat(fd, &status) != 0) return file->failed(errno, "look at");
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        return Error(ErrorKind::invalid,
                     "'" + path + "' is neither a regular file nor a block device");
    }
    return file;
}

Result<std::size_t> LocalFile::read_at(std::uint64_t offset, std::span<std::byte> buffer) {
    // No file reaches further, so there is its end.
    if (!is_range(offset, 0)) return std::size_t{0};
    std::size_t done = 0;
    while (done < buffer.size() && is_range(offset + done, 0)) {
        const auto got = ::pread(fd_, buffer.data() + done, buffer.size() - done,
                                 static_cast<off_t>(offset + done));
        if (got < 0) {
            if (errno == EINTR) continue;
            return failed(errno, "read");
        }
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Result<void> LocalFile::write_at(std::uint64_t offset, std::span<const std::byte> data) {
    if (!is_range(offset, data.size())) return failed(EFBIG, "write");
    std::size_t done = 0;
    while (done < data.size()) {
        const auto put = ::pwrite(fd_, data.data() + done, data.size() - done,
                                  static_cast<off_t>(offset + done));
        if (put < 0) {
            if (errno == EINTR) continue;
            return failed(errno, "write");
        }
        if (put == 0) return failed(EIO, "write");
        done += static_cast<std::size_t>(put);
    }
    return {};
}

Result<std::uint64_t> LocalFile::size() {
    // Unlike st_size this is right for block devices too; nothing here uses the file position.
    const off_t end = ::lseek(fd_, 0, SEEK_END);
    if (end < 0) return failed(errno, "find the size of");
    return static_cast<std::uint64_t>(end);
}

Result<void> LocalFile::resize(std::uint64_t bytes) {
    if (!is_range(bytes, 0)) return failed(EFBIG, "resize");
    while (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0)
        if (errno != EINTR) return failed(errno, "resize");
    return {};
}

Result<void> LocalFile::allocate(std::uint64_t offset, std::uint64_t length) {
    if (length == 0) return {};
    if (!is_range(offset, length)) return failed(EFBIG, "reserve space in");
    int error = EINTR;
    while (error == EINTR)
        error = ::posix_fallocate(fd_, static_cast<off_t>(offset), static_cast<off_t>(length));
    if (error != 0) return failed(error, "reserve space in");
    return {};
}

Result<void> LocalFile::flush() {
    while (::fsync(fd_) != 0)
        if (errno != EINTR) return failed(errno, "flush");
    return {};
}

Result<std::optional<Extent>> LocalFile::find_data(std::uint64_t from) {
    if (!is_range(from, 0)) return std::optional<Extent>();
    const off_t data = ::lseek(fd_, static_cast<off_t>(from), SEEK_DATA);
    if (data < 0) {
        if (errno == ENXIO) return std::optional<Extent>();
        // A block device, or a file system that cannot tell.
        if (errno == EINVAL || errno == EOPNOTSUPP) return ByteSource::find_data(from);
        return failed(errno, "look for data in");
    }
    const off_t hole = ::lseek(fd_, data, SEEK_HOLE);
    if (hole < 0) return failed(errno, "look for holes in");
    return std::optional(
        Extent{static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data)});
}

Result<bool> LocalFile::is_locked(std::uint64_t byte) {
    struct flock lock = lock_of(F_WRLCK, byte);
    if (::fcntl(fd_, F_OFD_GETLK, &lock) != 0) return failed(errno, "ask for locks on");
    return lock.l_type != F_UNLCK;
}

Result<void> LocalFile::lock_shared(std::uint64_t byte) {
    struct flock lock = lock_of(F_RDLCK, byte);
    if (::fcntl(fd_, F_OFD_SETLK, &lock) != 0) return failed(errno, "lock");
    return {};
}

Result<void> LocalFile::close() {
    // Linux closes the descriptor even when it reports EINTR, which then means nothing.
    const int fd = std::exchange(fd_, -1);
    if (::close(fd) != 0 && errno != EINTR) return failed(errno, "close");
    return {};
}

}  // namespace sfg
