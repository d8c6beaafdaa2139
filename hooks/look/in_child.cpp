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

ChildSaid in_child(const std::function<std::string()>& work, std::chrono::milliseconds limit) {
    std::array<int, 2> ends;
    if (limit <= std::chrono::milliseconds(0) || pipe2(ends.data(), O_CLOEXEC) < 0) return {};
    Fd ours(ends[0]), its(ends[1]);
    const pid_t pid = fork();
    if (pid < 0) return {};
    if (pid == 0) {
        // Who has started us waits until our output is closed, and must not wait for this.
        const int nowhere = open("/dev/null", O_RDWR);
        if (nowhere < 0 || dup2(its.get(), 3) < 0) _exit(1);
        for (const int fd : {0, 1, 2})
            if (dup2(nowhere, fd) < 0) _exit(1);
        close_range(4, ~0U, 0);
        const std::string text = work();
        const bool written =
            write(3, text.data(), text.size()) == static_cast<ssize_t>(text.size());
        _exit(written ? 0 : 1);
    }
    its.reset();
    ChildSaid said;
    std::string text;
    const auto deadline = Clock::now() + limit;
    std::array<char, 4096> buffer;
    bool ended = false;
    while (!ended) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd wait{ours.get(), POLLIN, 0};
        const int ready = left > 0 ? poll(&wait, 1, static_cast<int>(left)) : 0;
        if (ready < 0 && errno == EINTR) continue;
        said.timed_out = ready == 0;
        if (ready <= 0) break;
        const ssize_t got = read(ours.get(), buffer.data(), buffer.size());
        if (got > 0)
            text.append(buffer.data(), static_cast<std::size_t>(got));
        else
            ended = got == 0;
        if (got < 0 && errno != EINTR) break;
    }
    int status = 0;
    if (!ended) kill(pid, SIGKILL);
    const pid_t reaped = waitpid(pid, &status, ended ? 0 : WNOHANG);
    if (ended && reaped == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        said.text = std::move(text);
    return said;
}

}  // namespace sfg::hooks
