// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/helper/files.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "driver/core/log.hpp"

namespace sfg {
namespace {

int flags_for(Access access) {
    // Without O_NONBLOCK, opening a FIFO waits for its other end.
    return O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (access == Access::read ? O_RDONLY : O_RDWR);
}

Error link_refused(const std::string& name, int error) {
    return Error(ErrorKind::denied, error,
                 name + " leads through a symbolic link, which is not followed");
}

Result<OpenFile> checked(Fd fd, std::string name, Access access) {
    struct stat status {};
    if (fstat(fd.get(), &status) != 0) return Error::from_errno(errno, "cannot look at " + name);
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
        return Error(ErrorKind::invalid, name + " is neither a regular file nor a block device");
    OpenFile file;
    const off_t end = lseek(fd.get(), 0, SEEK_END);
    if (end < 0) return Error::from_errno(errno, "cannot find the size of " + name);
    file.bytes = static_cast<std::uint64_t>(end);
    file.block_device = S_ISBLK(status.st_mode);
    file.writing = access == Access::read_write;
    file.fd = std::move(fd);
    file.name = std::move(name);
    return file;
}

}  // namespace

Result<OpenFile> open_local(const ConvertFile& file, Access access) {
    std::string name = "'" + escaped(file.path) + "'";
    if (file.descriptor) {
        // Not to be had by the programs that are started, but by the way that they are told.
        Fd handed(fcntl(*file.descriptor, F_DUPFD_CLOEXEC, 0));
        if (!handed.ok()) return Error::from_errno(errno, name + " was not handed over");
        close(*file.descriptor);
        return checked(std::move(handed), std::move(name), access);
    }
    Fd fd(open(file.path.c_str(), flags_for(access) | O_NOFOLLOW));
    if (!fd.ok()) {
        if (errno == ELOOP) return link_refused(name, ELOOP);
        return Error::from_errno(errno, "cannot open " + name);
    }
    return checked(std::move(fd), std::move(name), access);
}

Result<OpenFile> open_in_volume(int root, const ConvertFile& file, Access access) {
    std::string name = "'" + escaped(file.path) + "'";
    struct open_how how {};
    how.flags = static_cast<std::uint64_t>(flags_for(access));
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    // glibc 2.36 has no wrapper.
    Fd fd(static_cast<int>(syscall(SYS_openat2, root, file.path.c_str(), &how, sizeof(how))));
    if (!fd.ok()) {
        if (errno == ELOOP || errno == EXDEV) return link_refused(name, errno);
        return Error::from_errno(errno, "cannot open " + name);
    }
    char gfid[64];
    const ssize_t length = fgetxattr(fd.get(), "glusterfs.gfid.string", gfid, sizeof(gfid));
    if (length < 0) return Error::from_errno(errno, "cannot ask for the identity of " + name);
    // glusterfs counts the text's zero byte in some versions.
    std::string found(gfid, static_cast<std::size_t>(length));
    while (!found.empty() && found.back() == '\0') found.pop_back();
    if (found != file.gfid)
        return Error(ErrorKind::denied, ESTALE,
                     name + " is not the file it was: somebody has put another in its place");
    return checked(std::move(fd), std::move(name), access);
}

}  // namespace sfg
