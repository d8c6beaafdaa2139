// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/helper_process.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace sfg {
namespace {

// Everything posix_spawn is to do in the child; a vfork(2) in glibc.
struct SpawnPlan {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error = 0;

    SpawnPlan(int socket, const std::vector<Fd>& handed) {
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attributes);
        for (int fd = 0; fd < 3; ++fd) check(posix_spawn_file_actions_adddup2(&files, socket, fd));
        int next = HelperProcess::kFirstHanded;
        for (const Fd& fd : handed)
            check(posix_spawn_file_actions_adddup2(&files, fd.get(), next++));
        // Libraries in this process may have opened files without O_CLOEXEC.
        check(posix_spawn_file_actions_addclosefrom_np(&files, next));
        check(posix_spawn_file_actions_addchdir_np(&files, "/"));
        // Threads of libvirtd block signals, and it ignores some: the helper starts afresh.
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        sigdelset(&all, SIGKILL);
        sigdelset(&all, SIGSTOP);
        check(posix_spawnattr_setsigmask(&attributes, &none));
        check(posix_spawnattr_setsigdefault(&attributes, &all));
        check(posix_spawnattr_setflags(
            &attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                            POSIX_SPAWN_SETSID)));
    }
    ~SpawnPlan() {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    void check(int result) {
        if (error == 0) error = result;
    }
};

}  // namespace

Result<HelperProcess> HelperProcess::start(const std::string& program,
                                           const std::vector<int>& handed) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return Error::from_errno(errno, "cannot make a socket for the converter");
    Fd ours(ends[0]);
    Fd theirs(ends[1]);
    // Out of the way of those that are about to be replaced.
    const int free = kFirstHanded + static_cast<int>(handed.size());
    if (theirs.get() < free) theirs.reset(fcntl(theirs.get(), F_DUPFD_CLOEXEC, free));
    std::vector<Fd> copies;
    for (const int fd : handed) {
        copies.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, free));
        if (!copies.back().ok())
            return Error::from_errno(errno, "cannot hand a file to the converter");
    }
    if (!theirs.ok() || fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0)
        return Error::from_errno(errno, "cannot make a socket for the converter");

    SpawnPlan plan(theirs.get(), copies);
    std::string name = program;
    char* const arguments[] = {name.data(), nullptr};
    char locale[] = "LC_ALL=C";
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char* const environment[] = {locale, path, nullptr};
    pid_t pid = -1;
    int error = plan.error;
    if (error == 0)
        error = posix_spawn(&pid, program.c_str(), &plan.files, &plan.attributes, arguments,
                            environment);
    if (error == ENOENT || error == EACCES)
        return Error(ErrorKind::unsupported, error,
                     "the converter '" + program + "' cannot be run (" + errno_text(error) + "): " +
                         // libvirtd is root: to it nothing else says so.
                         (error == EACCES ? "if AppArmor denies it, "
                                            "`/usr/share/sf-gluster/apparmor-lines add` mends that"
                                          : "install sf-gluster again"));
    if (error != 0)
        return Error(ErrorKind::io, error,
                     "cannot start the converter '" + program + "': " + errno_text(error));
    return HelperProcess(pid, std::move(ours));
}

HelperProcess::~HelperProcess() {
    if (pid_.value >= 0) end(std::chrono::seconds(0));
}

int HelperProcess::end(std::chrono::milliseconds patience) {
    const pid_t pid = std::exchange(pid_.value, -1);
    socket_.reset();
    int status = -1;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
        const pid_t ended = waitpid(pid, &status, WNOHANG);
        if (ended == pid) return status;
        if (ended < 0 && errno != EINTR) return -1;
        if (std::chrono::steady_clock::now() >= deadline) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

std::string default_helper() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&default_helper), &info) == 0 ||
        info.dli_fname == nullptr)
        return "sfgluster-convert";
    const std::string library = info.dli_fname;
    const auto slash = library.rfind('/');
    return (slash == std::string::npos ? std::string() : library.substr(0, slash + 1)) +
           "sfgluster-convert";
}

}  // namespace sfg
