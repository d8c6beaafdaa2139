// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/companion.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "tests/support/lab.hpp"

namespace sfg::test {
namespace {

constexpr std::chrono::seconds kPatience{20};

}  // namespace

Companion::Companion(const std::vector<std::string>& words, const std::string& ready) {
    int input[2];
    int output[2];
    if (pipe2(input, O_CLOEXEC) < 0) return;
    if (pipe2(output, O_CLOEXEC) < 0) {
        ::close(input[0]);
        ::close(input[1]);
        return;
    }
    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input[0], 0);
    posix_spawn_file_actions_adddup2(&files, output[1], 1);
    posix_spawn_file_actions_adddup2(&files, output[1], 2);
    if (posix_spawnp(&pid_, arguments[0], &files, nullptr, arguments.data(), environ) != 0)
        pid_ = -1;
    posix_spawn_file_actions_destroy(&files);
    ::close(input[0]);
    ::close(output[1]);
    input_ = input[1];
    output_ = output[0];
    ready_ = pid_ >= 0 && wait_for(ready);
}

Companion::~Companion() {
    end();
    if (output_ >= 0) ::close(output_);
}

void Companion::write(const std::string& text) {
    if (::write(input_, text.data(), text.size()) < 0) said_ += " (it takes no more words)";
}

bool Companion::wait_for(const std::string& text) {
    const std::size_t from = said_.size();
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (said_.find(text, from) == std::string::npos) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd polled{output_, POLLIN, 0};
        if (left.count() <= 0 || poll(&polled, 1, static_cast<int>(left.count())) <= 0)
            return false;
        std::array<char, 4096> buffer;
        const ssize_t got = read(output_, buffer.data(), buffer.size());
        if (got <= 0) return false;
        said_.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return true;
}

void Companion::end() {
    if (input_ >= 0) ::close(input_);
    input_ = -1;
    if (pid_ < 0) return;
    int status = 0;
    const bool ended = comes_true(
        [&] {
            const pid_t waited = waitpid(pid_, &status, WNOHANG);
            return waited == pid_ || (waited < 0 && errno != EINTR);
        },
        kPatience);
    if (!ended) return kill();
    pid_ = -1;
}

void Companion::kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
}

}  // namespace sfg::test
