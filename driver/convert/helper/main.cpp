// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sfgluster-convert: one conversion, for the library that started it. Standard input and output are
// one socket to it. The job comes in, reports go out, and the socket's end means that nobody waits
// for the conversion any more.
//
// Three processes, so that nothing is left whoever dies:
//
//     this one        makes the namespaces and waits
//     `- the keeper   process 1 of the PID namespace; ends when the library's end of the socket is
//        |            closed, or the first process dies, or the worker ends; the kernel then kills
//        |            all in the namespace, and the mounts go with the last of it
//        `- worker    mounts, starts qemu-img, reports
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "driver/convert/helper/namespaces.hpp"
#include "driver/convert/helper/work.hpp"
#include "driver/convert/report.hpp"
#include "driver/core/fd.hpp"

namespace sfg {
namespace {

constexpr int kSocketIn = 0;
constexpr int kSocketOut = 1;

void say(const std::string& line) {
    for (std::size_t done = 0; done < line.size();) {
        const ssize_t put = write(kSocketOut, line.data() + done, line.size() - done);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return;  // nobody listens: the keeper ends this
        done += static_cast<std::size_t>(put);
    }
}

Result<std::string> read_bytes(std::size_t count) {
    std::string text(count, '\0');
    for (std::size_t done = 0; done < count;) {
        const ssize_t got = read(kSocketIn, text.data() + done, count - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return Error(ErrorKind::io, "the job of the converter is cut off");
        done += static_cast<std::size_t>(got);
    }
    return text;
}

Result<HelperJob> read_job() {
    std::string digits;
    while (true) {
        SFG_TRY_ASSIGN(const std::string byte, read_bytes(1));
        if (byte[0] == '\0') break;
        if (byte[0] < '0' || byte[0] > '9' || digits.size() > 7)
            return Error(ErrorKind::invalid,
                         "this program is started by the storage driver, not by hand");
        digits += byte;
    }
    SFG_TRY_ASSIGN(const std::string text,
                   read_bytes(static_cast<std::size_t>(std::atol(digits.c_str()))));
    return parse_job_text(text);
}

int run_worker(const HelperJob& job) {
    // A long chain has more files than the usual soft limit.
    struct rlimit files {};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    Signs signs;
    signs.progress = [](double percent) { say(progress_line(percent)); };
    signs.alive = [] { say(kAliveLine); };
    const auto done = work(job, signs);
    say(done ? std::string(kDoneLine) : error_line(done.error()));
    return 0;
}

// Waits for the first of the three ends. `life` is a pipe whose other end the first process has.
int keep(const HelperJob& job, int life) {
    // By the pipe too: the first process may have died before this call.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const pid_t worker = fork();
    if (worker < 0) {
        say(error_line(Error::from_errno(errno, "cannot start a process")));
        return 1;
    }
    if (worker == 0) {
        close(life);
        std::_Exit(run_worker(job));
    }
    const int ended = static_cast<int>(syscall(SYS_pidfd_open, worker, 0));
    if (ended < 0) {
        say(error_line(Error::from_errno(errno, "cannot watch a process")));
        return 1;
    }
    std::array<pollfd, 3> polled{pollfd{kSocketIn, POLLIN | POLLRDHUP, 0}, pollfd{life, POLLIN, 0},
                                 pollfd{ended, POLLIN, 0}};
    while (poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
    }
    if (polled[2].revents == 0) return 1;
    int status = 0;
    waitpid(worker, &status, 0);
    if (WIFSIGNALED(status))
        say(error_line(Error(ErrorKind::io, "the converter was ended by signal " +
                                                std::to_string(WTERMSIG(status)))));
    return 0;
}

int run() {
    signal(SIGPIPE, SIG_IGN);
    const auto job = read_job();
    if (!job) {
        say(error_line(job.error()));
        return 1;
    }
    int life[2];
    if (pipe2(life, O_CLOEXEC) != 0) {
        say(error_line(Error::from_errno(errno, "cannot make a pipe")));
        return 1;
    }
    const pid_t keeper = fork_into(CLONE_NEWNS | CLONE_NEWPID);
    if (keeper < 0) {
        say(error_line(Error::from_errno(errno, "cannot make namespaces for the conversion")));
        return 1;
    }
    if (keeper == 0) {
        close(life[1]);
        std::_Exit(keep(*job, life[0]));
    }
    close(life[0]);
    int status = 0;
    // Ends once all processes of the namespace have.
    while (waitpid(keeper, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace
}  // namespace sfg

int main() {
    return sfg::run();
}
