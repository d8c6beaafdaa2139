// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/look/in_child.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "driver/core/fd.hpp"

namespace sfg::hooks {

using Clock = std::chrono::steady_clock;

std::string in_child(const std::function<std::string()>& work, std::chrono::milliseconds limit) {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) < 0) return "";
    Fd ours(ends[0]), its(ends[1]);
    const pid_t pid = fork();
    if (pid < 0) return "";
    if (pid == 0) {
        const int nowhere = open("/dev/null", O_RDWR);
        dup2(its.get(), 3);
        for (const int fd : {0, 1, 2}) dup2(nowhere, fd);
        close_range(4, ~0U, 0);
        const std::string text = work();
        const bool written =
            write(3, text.data(), text.size()) == static_cast<ssize_t>(text.size());
        _exit(written ? 0 : 1);
    }
    its.reset();
    std::string text;
    const auto deadline = Clock::now() + limit;
    std::array<char, 4096> buffer;
    bool whole = false;
    while (!whole) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd wait{ours.get(), POLLIN, 0};
        const int ready = left > 0 ? poll(&wait, 1, static_cast<int>(left)) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) break;
        const ssize_t got = read(ours.get(), buffer.data(), buffer.size());
        if (got > 0)
            text.append(buffer.data(), static_cast<std::size_t>(got));
        else
            whole = got == 0;
        if (got < 0 && errno != EINTR) break;
    }
    if (!whole) kill(pid, SIGKILL);
    waitpid(pid, nullptr, whole ? 0 : WNOHANG);
    return whole ? text : "";
}

}  // namespace sfg::hooks
