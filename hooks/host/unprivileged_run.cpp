// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/host/unprivileged_run.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include "driver/core/fd.hpp"

namespace sfg::hooks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostOutput = 64 << 10;  // bytes
constexpr rlim_t kProcessorTime = 10;          // seconds

struct User {
    uid_t uid;
    gid_t gid;
};

std::optional<User> qemus_user() {
    for (const char* name : {"libvirt-qemu", "nobody"})
        if (const passwd* user = getpwnam(name); user != nullptr && user->pw_uid != 0)
            return User{user->pw_uid, user->pw_gid};
    return std::nullopt;
}

// In the child. Leaves by _exit; what stands in the way is the exit status 127.
[[noreturn]] void become(char* const* words, int input, int output, int errors,
                         const std::optional<User>& user) {
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    static char locale[] = "LC_ALL=C";
    char* const environment[] = {path, locale, nullptr};
    const rlimit time{kProcessorTime, kProcessorTime};
    const rlimit no_core{0, 0};
    bool ready = setsid() >= 0 && dup2(input, 0) >= 0 && dup2(output, 1) >= 0 &&
                 dup2(errors, 2) >= 0 && close_range(3, ~0U, 0) == 0 && chdir("/") == 0 &&
                 setrlimit(RLIMIT_CPU, &time) == 0 && setrlimit(RLIMIT_CORE, &no_core) == 0;
    if (user)
        ready = ready && setgroups(0, nullptr) == 0 &&
                setresgid(user->gid, user->gid, user->gid) == 0 &&
                setresuid(user->uid, user->uid, user->uid) == 0;
    // After the change of user, which clears what is to happen when the parent ends.
    ready = ready && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
            prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (ready) execve(words[0], words, environment);
    _exit(127);
}

int remaining(Clock::time_point deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return left > 0 ? static_cast<int>(left) : 0;
}

struct Pipe {
    Fd ours, its;

    static Result<Pipe> make() {
        std::array<int, 2> ends;
        if (pipe2(ends.data(), O_CLOEXEC) < 0)
            return Error::from_errno(errno, "cannot make a pipe");
        return Pipe{Fd(ends[0]), Fd(ends[1])};
    }
};

// What is there to be read now; closes at the end.
void read_some(Fd& fd, std::string& text) {
    std::array<char, 4096> buffer;
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got > 0)
        text.append(buffer.data(),
                    std::min(static_cast<std::size_t>(got), kMostOutput - text.size()));
    else if (got == 0 || errno != EINTR)
        fd.reset();
}

// Until the end of both. False where the deadline has passed.
bool read_all(Fd& output, Fd& errors, Said& said, Clock::time_point deadline) {
    while (output.ok() || errors.ok()) {
        std::array<pollfd, 2> wait{{{output.get(), POLLIN, 0}, {errors.get(), POLLIN, 0}}};
        const int ready = poll(wait.data(), wait.size(), remaining(deadline));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        if (wait[0].revents != 0) read_some(output, said.output);
        if (wait[1].revents != 0) read_some(errors, said.errors);
    }
    return true;
}

// The exit status, or nothing where the process has not ended by then.
std::optional<int> wait_for(pid_t pid, Clock::time_point deadline) {
    for (;;) {
        int status = 0;
        const pid_t ended = waitpid(pid, &status, WNOHANG);
        if (ended == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if ((ended < 0 && errno != EINTR) || remaining(deadline) == 0) return std::nullopt;
        poll(nullptr, 0, 1);
    }
}

// Standard input that is there as a whole, so that nobody has to write it.
Result<Fd> file_with(const std::string& text) {
    Fd file(memfd_create("input", MFD_CLOEXEC));
    std::size_t done = 0;
    while (file.ok() && done < text.size()) {
        const ssize_t put = write(file.get(), text.data() + done, text.size() - done);
        if (put < 0 && errno != EINTR) return Error::from_errno(errno, "cannot keep its input");
        if (put > 0) done += static_cast<std::size_t>(put);
    }
    if (!file.ok() || lseek(file.get(), 0, SEEK_SET) < 0)
        return Error::from_errno(errno, "cannot make its input");
    return file;
}

}  // namespace

Result<Said> run_unprivileged(const std::vector<std::string>& words, const std::string& input,
                              std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    const std::string& program = words.at(0);
    std::optional<User> user;
    if (geteuid() == 0 && !(user = qemus_user()))
        return Error(ErrorKind::io, "there is no user to run " + program + " as");
    SFG_TRY_ASSIGN(const Fd standard_input, file_with(input));
    SFG_TRY_ASSIGN(Pipe output, Pipe::make());
    SFG_TRY_ASSIGN(Pipe errors, Pipe::make());

    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t pid = fork();
    if (pid < 0) return Error::from_errno(errno, "cannot start " + program);
    if (pid == 0)
        become(arguments.data(), standard_input.get(), output.its.get(), errors.its.get(), user);
    output.its.reset();
    errors.its.reset();

    Said said;
    const bool whole = read_all(output.ours, errors.ours, said, deadline);
    auto status = whole ? wait_for(pid, deadline) : std::nullopt;
    if (!status) {
        // All that it may have started, too: they are a session.
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
        wait_for(pid, Clock::now() + std::chrono::milliseconds(100));
        return Error(ErrorKind::io,
                     program + " has not ended within " + std::to_string(limit.count()) + " ms");
    }
    said.status = *status;
    return said;
}

}  // namespace sfg::hooks
