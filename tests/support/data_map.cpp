// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/data_map.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

#include "tests/support/stream_client.hpp"

namespace sfg::test {

std::vector<DataExtent> data_map(const std::string& path) {
    std::vector<DataExtent> map;
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return map;
    for (off_t hole = 0;;) {
        const off_t data = lseek(fd, hole, SEEK_DATA);
        if (data < 0) break;
        hole = lseek(fd, data, SEEK_HOLE);
        if (hole < 0) break;
        map.push_back({static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data)});
    }
    close(fd);
    return map;
}

std::string to_text(const std::vector<DataExtent>& map) {
    std::ostringstream text;
    for (const auto& [offset, length] : map) text << " " << offset << "+" << length;
    return text.str();
}

bool make_sparse(const std::string& path, std::uint64_t length,
                 const std::vector<DataExtent>& data) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool made = ftruncate(fd, static_cast<off_t>(length)) == 0;
    for (const auto& extent : data) {
        const std::string bytes = noise(extent.length, static_cast<unsigned>(extent.offset) + 7);
        made = made && pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(extent.offset)) ==
                           static_cast<ssize_t>(bytes.size());
    }
    // See PoolTest::write_file: the kernel is to learn of the file's mtime.
    struct stat status {};
    return close(fd) == 0 && stat(path.c_str(), &status) == 0 && made;
}

std::uint64_t space_of(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) < 0) return 0;
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

}  // namespace sfg::test
