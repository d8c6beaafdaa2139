// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/look/mounted_look.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>

#include "driver/core/fd.hpp"
#include "driver/core/local_file.hpp"
#include "driver/core/path.hpp"
#include "hooks/look/look_text.hpp"

namespace sfg::hooks {
namespace {

using Clock = std::chrono::steady_clock;

// Along no link, whatever ".." are in it, and onto no other file system: then the normalized path
// leads to the same file.
Result<void> check_way(const std::string& directory, const std::string& path) {
    const Fd root(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root.ok()) return Error::from_errno(errno, directory);
    open_how how{};
    how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    const Fd file(
        static_cast<int>(syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
    if (!file.ok()) return Error::from_errno(errno, path);
    struct stat stat;
    if (fstat(file.get(), &stat) < 0) return Error::from_errno(errno, path);
    if (S_ISLNK(stat.st_mode)) return Error::from_errno(ELOOP, path);
    if (!S_ISREG(stat.st_mode)) return Error::from_errno(EINVAL, path);
    return {};
}

ChainLook look(const std::string& mount_point, const std::string& below,
               const std::string& format) {
    return look_at_chain(
        below, format, [&](const std::string& path) -> Result<std::unique_ptr<ByteSource>> {
            SFG_TRY(check_way(mount_point, path));
            SFG_TRY_ASSIGN(auto file,
                           LocalFile::open_beneath(mount_point, normalized(path).value()));
            return std::unique_ptr<ByteSource>(std::move(file));
        });
}

// What `work` returns in a child; "" where it has not within `limit`. A child that hangs in the
// kernel is left to itself: it holds none of our descriptors.
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

}  // namespace

ChainLook look_on_mount(const std::string& mount_point, const std::string& below,
                        const std::string& format, std::chrono::milliseconds limit) {
    const std::string text =
        in_child([&] { return look_to_text(look(mount_point, below, format)); }, limit);
    if (!text.empty()) return look_from_text(text);
    ChainLook nothing;
    nothing.why = "it does not answer within " + std::to_string(limit.count()) + " ms";
    return nothing;
}

void wake_automount(const std::string& directory, std::chrono::milliseconds limit) {
    in_child(
        [&] {
            const Fd opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            return std::string();
        },
        limit);
}

}  // namespace sfg::hooks
