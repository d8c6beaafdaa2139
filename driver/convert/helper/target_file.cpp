// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/helper/target_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace sfg {
namespace {

Error failed(const OpenFile& file, const char* what) {
    return Error::from_errno(errno, std::string("cannot ") + what + ' ' + file.name);
}

Result<void> copy_range(const OpenFile& from, const OpenFile& to, off_t at, off_t end,
                        const std::function<void()>& alive) {
    std::vector<char> buffer(std::size_t{1} << 20);
    while (at < end) {
        const auto want = std::min(static_cast<std::size_t>(end - at), buffer.size());
        const ssize_t got = pread(from.fd.get(), buffer.data(), want, at);
        if (got < 0) return failed(from, "read");
        if (got == 0) break;
        for (ssize_t done = 0; done < got;) {
            const ssize_t put = pwrite(to.fd.get(), buffer.data() + done,
                                       static_cast<std::size_t>(got - done), at + done);
            if (put <= 0) {
                if (put == 0) errno = EIO;
                return failed(to, "write");
            }
            done += put;
        }
        at += got;
        alive();
    }
    return {};
}

}  // namespace

Result<void> copy_sparse(const OpenFile& from, const OpenFile& to,
                         const std::function<void()>& alive) {
    const off_t length = lseek(from.fd.get(), 0, SEEK_END);
    if (length < 0) return failed(from, "find the size of");
    for (off_t at = 0; at < length;) {
        const off_t data = lseek(from.fd.get(), at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;  // holes to the end
        if (data < 0) return failed(from, "read");
        const off_t hole = lseek(from.fd.get(), data, SEEK_HOLE);
        if (hole < 0) return failed(from, "read");
        SFG_TRY(copy_range(from, to, data, hole, alive));
        at = hole;
    }
    return set_length(to, static_cast<std::uint64_t>(length));
}

Result<void> set_length(const OpenFile& file, std::uint64_t bytes) {
    if (ftruncate(file.fd.get(), static_cast<off_t>(bytes)) != 0)
        return failed(file, "set the length of");
    return {};
}

Result<void> reserve_all(const OpenFile& file, const std::function<void()>& alive) {
    constexpr off_t kStep = off_t{1} << 30;
    const off_t length = lseek(file.fd.get(), 0, SEEK_END);
    if (length < 0) return failed(file, "find the size of");
    for (off_t at = 0; at < length; at += kStep) {
        errno = posix_fallocate(file.fd.get(), at, std::min(kStep, length - at));
        if (errno != 0) return failed(file, "reserve space for");
        alive();
    }
    return {};
}

Result<void> pad_qcow2(const OpenFile& file) {
    // docs/interop/qcow2.txt, Header: cluster_bits at 20, big-endian.
    std::array<unsigned char, 24> header{};
    if (pread(file.fd.get(), header.data(), header.size(), 0) !=
        static_cast<ssize_t>(header.size())) {
        errno = EIO;
        return failed(file, "read");
    }
    const unsigned bits = header[23];
    if (header[20] != 0 || header[21] != 0 || header[22] != 0 || bits < 9 || bits > 21)
        return Error(ErrorKind::corrupt, "qemu-img has made no image of qcow2 in " + file.name);
    const std::uint64_t cluster = std::uint64_t{1} << bits;
    const off_t length = lseek(file.fd.get(), 0, SEEK_END);
    if (length < 0) return failed(file, "find the size of");
    const auto bytes = static_cast<std::uint64_t>(length);
    if (bytes % cluster == 0) return {};
    return set_length(file, (bytes / cluster + 1) * cluster);
}

Result<void> finish(OpenFile file) {
    if (fsync(file.fd.get()) != 0) return failed(file, "flush");
    // Linux closes the descriptor even when it reports EINTR.
    if (close(file.fd.release()) != 0 && errno != EINTR) return failed(file, "close");
    return {};
}

}  // namespace sfg
