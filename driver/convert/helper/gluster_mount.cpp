// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/helper/gluster_mount.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <vector>

#include "driver/convert/qemu_output.hpp"

namespace sfg {
namespace {

using Clock = std::chrono::steady_clock;

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string> arguments_for(const std::string& program, const VolumeAddress& address,
                                       const std::string& place, const std::string& log) {
    std::vector<std::string> words = {
        program, "--no-daemon", "--process-name=fuse", "--log-file=" + log, "--log-level=ERROR",
        // What other clients have just changed is to be seen, as over our gfapi connections.
        "--attribute-timeout=0", "--entry-timeout=0", "--negative-timeout=0",
        "--xlator-option=*-md-cache.md-cache-timeout=0",
        "--xlator-option=*-quick-read.cache-timeout=0",
        "--xlator-option=*-io-cache.cache-timeout=0",
        "--xlator-option=*-nl-cache.nl-cache-timeout=0"};
    // glusterfs takes one port for all servers: those with the first one's are given.
    const int port = address.servers.front().port;
    for (const auto& server : address.servers)
        if (server.port == port) words.push_back("--volfile-server=" + server.host);
    if (port != 0) words.push_back("--volfile-server-port=" + std::to_string(port));
    words.push_back("--volfile-id=/" + address.volume);
    words.push_back(place);
    return words;
}

// In a process of its own, as each of these calls may wait for gluster as long as it likes: opens
// the root once glusterfs has put its mount there. 0, or the errno of the last try.
int reach_root(const std::string& place, Clock::time_point deadline) {
    const std::string mounted = " " + place + " ";
    int error = ETIMEDOUT;
    while (Clock::now() < deadline) {
        if (text_of("/proc/self/mountinfo").find(mounted) != std::string::npos) {
            const int fd = open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            char gfid[64];
            if (fd >= 0 && fgetxattr(fd, "glusterfs.gfid.string", gfid, sizeof(gfid)) > 0) return 0;
            error = errno;
            if (fd >= 0) close(fd);
        }
        usleep(20'000);
    }
    return error;
}

}  // namespace

Result<GlusterMount> GlusterMount::start(const std::string& program, const VolumeAddress& address,
                                         const std::string& place, const std::string& log) {
    if (mkdir(place.c_str(), 0700) != 0)
        return Error::from_errno(errno, "cannot make the mount point '" + place + "'");
    const auto words = arguments_for(program, address, place, log);
    const pid_t pid = fork();
    if (pid < 0) return Error::from_errno(errno, "cannot start glusterfs");
    if (pid == 0) {
        const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
        std::vector<char*> arguments;
        for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        char locale[] = "LC_ALL=C";
        char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
        char* environment[] = {locale, path, nullptr};
        execve(program.c_str(), arguments.data(), environment);
        _exit(127);
    }
    GlusterMount made;
    made.address_ = address;
    made.place_ = place;
    made.log_ = log;
    made.pid_ = pid;
    return made;
}

Error GlusterMount::failed(const std::string& what) const {
    const std::string hosts = names_of(address_.servers);
    const std::string reason = last_gluster_errors(text_of(log_));
    return Error(ErrorKind::not_connected, ENOTCONN,
                 "gluster volume '" + address_.volume + "' of " + hosts +
                     " cannot be mounted for the conversion: " + what +
                     (reason.empty() ? "" : " (" + reason + ")"));
}

Result<void> GlusterMount::wait(Clock::time_point deadline) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Error::from_errno(errno, "cannot make a pipe");
    Fd from(ends[0]);
    Fd to(ends[1]);
    const pid_t prober = fork();
    if (prober < 0) return Error::from_errno(errno, "cannot start a process");
    if (prober == 0) {
        const int error = reach_root(place_, deadline);
        _exit(write(to.get(), &error, sizeof(error)) == sizeof(error) ? 0 : 1);
    }
    to.reset();
    while (true) {
        pollfd polled{from.get(), POLLIN, 0};
        poll(&polled, 1, 50);
        if (polled.revents != 0) break;
        int status = 0;
        if (waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = -1;
            return failed("glusterfs ended");
        }
        // The prober sits in a call that gluster does not answer. It ends with this namespace.
        if (Clock::now() > deadline + std::chrono::seconds(1))
            return failed("nothing answers within the time limit");
    }
    int error = EIO;
    if (read(from.get(), &error, sizeof(error)) != sizeof(error)) error = EIO;
    waitpid(prober, nullptr, 0);
    if (error == ETIMEDOUT) return failed("nothing answers within the time limit");
    if (error != 0) return failed(errno_text(error));
    root_.reset(open(place_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root_.ok()) return failed(errno_text(errno));
    // What is only read is opened on a mount that cannot be written to: a program can open a
    // descriptor of its own anew for writing (/proc/self/fd), and as root may.
    read_only_root_.reset(
        open_tree(root_.get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (!read_only_root_.ok() || mount_setattr(read_only_root_.get(), "", AT_EMPTY_PATH,
                                               &attributes, sizeof(attributes)) != 0)
        return failed("no read-only view of it: " + errno_text(errno));
    return {};
}

void GlusterMount::stop() {
    root_.reset();
    read_only_root_.reset();
    if (pid_ < 0 || umount2(place_.c_str(), 0) != 0) return;
    for (int i = 0; i < 500; ++i) {
        if (waitpid(pid_, nullptr, WNOHANG) != 0) return;
        usleep(10'000);
    }
}

}  // namespace sfg
