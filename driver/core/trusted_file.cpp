// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/trusted_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace sfg {
namespace {

constexpr off_t kLargestFile = 1 << 20;

}  // namespace

Result<std::string> read_trusted_file(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        if (errno == ENOENT) return std::string();
        if (errno == ELOOP) return Error(ErrorKind::denied, "it must not be a symbolic link");
        return Error::from_errno(errno, "cannot open");
    }
    struct Closer {
        int fd;
        ~Closer() { ::close(fd); }
    } closer{fd};
    struct stat stat;
    if (fstat(fd, &stat) < 0) return Error::from_errno(errno, "cannot look at it");
    if (!S_ISREG(stat.st_mode) || stat.st_uid != 0 || (stat.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return Error(ErrorKind::denied, "it must be a file of root's that nobody else can write");
    if (stat.st_size > kLargestFile) return Error(ErrorKind::invalid, "it is over 1 MiB");
    std::string text(static_cast<std::size_t>(stat.st_size), '\0');
    const ssize_t got = read(fd, text.data(), text.size());
    if (got < 0) return Error::from_errno(errno, "cannot read");
    text.resize(static_cast<std::size_t>(got));
    return text;
}

}  // namespace sfg
