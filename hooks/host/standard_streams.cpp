// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/host/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "hooks/rewrite/domain_xml.hpp"

namespace sfg::hooks {

std::string read_document() {
    constexpr std::size_t kMost = DomainXml::kLargest + 1;
    std::string text;
    std::array<char, 64 << 10> buffer;
    while (text.size() < kMost) {
        const ssize_t got =
            read(STDIN_FILENO, buffer.data(), std::min(buffer.size(), kMost - text.size()));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
}

bool write_document(const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t put = write(STDOUT_FILENO, text.data() + done, text.size() - done);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        done += static_cast<std::size_t>(put);
    }
    return true;
}

void open_standard_streams() {
    int fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= 2) fd = dup(fd);
    if (fd > 2) close(fd);
}

}  // namespace sfg::hooks
