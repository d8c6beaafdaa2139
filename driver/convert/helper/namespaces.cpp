// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/helper/namespaces.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace sfg {

pid_t fork_into(unsigned long namespaces) {
    struct clone_args args {};
    args.flags = namespaces;
    args.exit_signal = SIGCHLD;
    return static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof(args)));
}

Result<std::string> make_private_place() {
    // Slave, not private: a file system that the host unmounts must not stay busy for us.
    if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
        return Error::from_errno(errno, "cannot make the converter's mounts private");
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
        return Error::from_errno(errno, "cannot mount the converter's /proc");
    // Any directory does that neither glusterfs nor qemu-img looks for anything in.
    for (const char* const place : {"/mnt", "/media", "/srv"}) {
        if (mount("sf-gluster", place, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                  "mode=0700,size=64m") == 0)
            return std::string(place);
        if (errno != ENOENT && errno != ENOTDIR)
            return Error::from_errno(errno, std::string("cannot mount a tmpfs over ") + place);
    }
    return Error(ErrorKind::unsupported,
                 "there is none of the directories /mnt, /media and /srv to mount over");
}

Result<std::string> keep_program(const std::string& place, const std::string& program) {
    if (program.starts_with("/usr/")) return program;
    const std::string kept = place + "/program-" + program.substr(program.rfind('/') + 1);
    const int fd = open(kept.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    if (fd >= 0) close(fd);
    if (fd < 0 || mount(program.c_str(), kept.c_str(), nullptr, MS_BIND, nullptr) != 0)
        return Error::from_errno(errno, "cannot bind '" + program + "'");
    return kept;
}

Result<void> hide_tmp() {
    if (mount("sf-gluster", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "mode=1777,size=64m") != 0 &&
        errno != ENOENT)
        return Error::from_errno(errno, "cannot mount a tmpfs over /tmp");
    return {};
}

}  // namespace sfg
