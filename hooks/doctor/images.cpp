// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string_view>

#include "driver/core/fd.hpp"
#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "hooks/doctor/parts.hpp"
#include "hooks/look/in_child.hpp"
#include "hooks/look/look_text.hpp"
#include "hooks/rewrite/shell_word.hpp"

namespace sfg::doctor {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kTime{8};
constexpr std::chrono::milliseconds kLimit{10'000};
constexpr std::size_t kMostShown = 5;
constexpr int kDeepest = 16;

struct Scan {
    Clock::time_point until = Clock::now() + kTime;
    std::size_t files = 0;
    std::size_t unpadded = 0;
    std::vector<std::string> shown;
    bool whole = true;
};

// "QFI\xfb", the first bytes of every qcow2 image.
bool is_qcow2(int directory, const char* name) {
    const Fd file(openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    char magic[4] = {};
    return file.ok() && read(file.get(), magic, 4) == 4 &&
           std::string_view(magic, 4) == std::string_view("QFI\xfb", 4);
}

void scan(int parent, const char* name, const std::string& path, int depth, Scan& found) {
    Fd opened(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    DIR* const directory = opened.ok() ? fdopendir(opened.get()) : nullptr;
    if (directory == nullptr || depth > kDeepest) {
        found.whole = false;
        return;
    }
    opened.release();
    while (const dirent* entry = readdir(directory)) {
        const std::string_view entry_name = entry->d_name;
        if (entry_name == "." || entry_name == ".." || entry_name == ".trashcan" ||
            entry_name == ".glusterfs")
            continue;
        if (Clock::now() > found.until) {
            found.whole = false;
            break;
        }
        struct stat stat;
        if (fstatat(dirfd(directory), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) < 0) continue;
        const std::string whole = join_path(path, entry_name);
        if (S_ISDIR(stat.st_mode)) scan(dirfd(directory), entry->d_name, whole, depth + 1, found);
        if (!S_ISREG(stat.st_mode)) continue;
        ++found.files;
        if (stat.st_size % 512 == 0 || !is_qcow2(dirfd(directory), entry->d_name)) continue;
        ++found.unpadded;
        if (found.shown.size() < kMostShown) found.shown.push_back(whole);
    }
    closedir(directory);
}

void add(std::string& text, const std::string& word) {
    text += word + '\0';
}

Findings check(const hooks::MountedDirectory& mount) {
    const auto said = hooks::in_child(
        [&] {
            Scan found;
            scan(AT_FDCWD, mount.mount_point.c_str(), "", 0, found);
            std::string text;
            add(text, std::to_string(found.files));
            add(text, std::to_string(found.unpadded));
            add(text, found.whole ? "all" : "some");
            for (const auto& path : found.shown) add(text, path);
            return text;
        },
        kLimit);
    const auto words = hooks::words_of(said.text.value_or(""));
    const std::string about = "images on " + escaped(mount.mount_point);
    if (words.size() < 3) return {{Level::warning, about, "they cannot be looked at"}};
    const std::string seen =
        words[2] == "all" ? words[0] + " files" : "the first " + words[0] + " files";
    if (words[1] == "0")
        return {{Level::fine, about, "of " + seen + " all qcow2 images open over gfapi too"}};
    Findings findings{{Level::warning, about,
                       words[1] + " of " + seen +
                           " are qcow2 images that do not open over gfapi, since their length is "
                           "no multiple of 512 (qemu issue 937); pad them while no guest has them "
                           "open"}};
    for (std::size_t i = 3; i < words.size(); ++i)
        findings.push_back({Level::warning, about, escaped(words[i]),
                            "truncate --no-create --size=%512 " +
                                hooks::shell_word(join_path(mount.mount_point, words[i]))});
    return findings;
}

}  // namespace

Findings check_images(const hooks::KnownVolumes& volumes) {
    Findings findings;
    for (const auto* volume : volumes.all())
        for (const auto& mount : volume->mounts) {
            if (!mount.mounted) continue;
            const auto found = check(mount);
            findings.insert(findings.end(), found.begin(), found.end());
        }
    return findings;
}

}  // namespace sfg::doctor
