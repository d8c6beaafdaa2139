// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sfg::test {
namespace {

using Clock = std::chrono::steady_clock;

pid_t spawn(const std::vector<std::string>& words, int output) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, 1);
    posix_spawn_file_actions_adddup2(&files, output, 2);
    // A group of its own, so that all of it can be ended.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    pid_t pid = -1;
    const int failed =
        posix_spawnp(&pid, arguments[0], &files, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return failed == 0 ? pid : -1;
}

// Reads until the end of the output or `deadline`; false for the latter.
bool collect(int from, Clock::time_point deadline, std::string& output) {
    std::array<char, 4096> buffer;
    while (true) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) return false;
        pollfd polled{from, POLLIN, 0};
        const int ready = poll(&polled, 1, static_cast<int>(left.count()));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        const ssize_t got = read(from, buffer.data(), buffer.size());
        if (got <= 0) return true;
        output.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace

Ran run(const std::vector<std::string>& words, std::chrono::seconds limit) {
    Ran ran;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        ran.output = std::strerror(errno);
        return ran;
    }
    const pid_t pid = spawn(words, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        ran.output = "cannot run " + words.front();
        close(ends[0]);
        return ran;
    }
    if (!collect(ends[0], Clock::now() + limit, ran.output)) {
        ran.output += "\n(ended after " + std::to_string(limit.count()) + " s)";
        kill(-pid, SIGKILL);
    }
    close(ends[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status)) ran.status = WEXITSTATUS(status);
    return ran;
}

Ran shell(const std::string& command, std::chrono::seconds limit) {
    return run({"/bin/sh", "-c", command}, limit);
}

std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'')
            out += "'\\''";
        else
            out += c;
    }
    return out + "'";
}

std::string luks_command(const std::string& create) {
    return "{ for i in $(seq 100); do said=$(" + create +
           " 2>&1) && break; done; printf %s \"$said\"; [ -z \"$said\" ]; }";
}

}  // namespace sfg::test
