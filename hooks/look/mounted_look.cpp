// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/look/mounted_look.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "driver/core/fd.hpp"
#include "driver/core/local_file.hpp"
#include "driver/core/path.hpp"
#include "hooks/look/in_child.hpp"
#include "hooks/look/look_text.hpp"

namespace sfg::hooks {
namespace {

// Along no link, whatever ".." are in it: then the normalized path leads to the same file.
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

ChainLook look(const std::string& mount_point, const ImageToLookAt& image) {
    return look_at_chain(
        image, [&](const std::string& path) -> Result<std::unique_ptr<ByteSource>> {
            SFG_TRY(check_way(mount_point, path));
            SFG_TRY_ASSIGN(auto file,
                           LocalFile::open_beneath(mount_point, normalized(path).value()));
            return std::unique_ptr<ByteSource>(std::move(file));
        });
}

}  // namespace

ChainLook look_on_mount(const std::string& mount_point, const ImageToLookAt& image,
                        std::chrono::milliseconds limit) {
    const auto said = in_child([&] { return look_to_text(look(mount_point, image)); }, limit);
    if (said.text) return look_from_text(*said.text);
    ChainLook nothing;
    nothing.failure =
        said.timed_out ? ChainLook::Failure::no_answer : ChainLook::Failure::not_tried;
    nothing.why = said.timed_out
                      ? "it does not answer within " + std::to_string(limit.count()) + " ms"
                      : "there are no means to look at it";
    return nothing;
}

std::string real_directory(const std::string& directory, std::chrono::milliseconds limit) {
    const auto said = in_child(
        [&] {
            const Fd opened(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            std::array<char, PATH_MAX> path;
            const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(opened.get())).c_str(),
                                          path.data(), path.size());
            return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : "";
        },
        limit);
    return said.text.value_or("");
}

}  // namespace sfg::hooks
