// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/host/answer_cache.hpp"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <sstream>
#include <vector>

#include "driver/core/fd.hpp"
#include "driver/core/path.hpp"
#include "driver/core/trusted_file.hpp"

namespace sfg::hooks {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
    std::vector<std::string> lines;
    const auto text = read_trusted_file(path);
    if (!text) return lines;
    std::istringstream in(*text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

// Not by the clock on the wall, which may be set.
std::int64_t now() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return time.tv_sec;
}

bool write_all(int fd, const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t put = write(fd, text.data() + done, text.size() - done);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        done += static_cast<std::size_t>(put);
    }
    return true;
}

std::string state_of(const std::string& path) {
    struct stat stat;
    if (::stat(path.c_str(), &stat) < 0) return "-";
    char text[160];
    std::snprintf(text, sizeof text, "%llx.%llx.%llx.%o.%lld.%ld.%lld.%ld",
                  static_cast<unsigned long long>(stat.st_dev),
                  static_cast<unsigned long long>(stat.st_ino),
                  static_cast<unsigned long long>(stat.st_size), stat.st_mode,
                  static_cast<long long>(stat.st_mtim.tv_sec), stat.st_mtim.tv_nsec,
                  static_cast<long long>(stat.st_ctim.tv_sec), stat.st_ctim.tv_nsec);
    return text;
}

void add_modules(const std::string& pattern, std::string& state) {
    glob_t found;
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
        for (std::size_t i = 0; i < found.gl_pathc; ++i) {
            const std::string module = std::string(found.gl_pathv[i]) + "/block-gluster.so";
            state += " " + module + " " + state_of(module);
        }
    }
    globfree(&found);
}

}  // namespace

std::optional<std::string> AnswerCache::find(const std::string& question,
                                             std::chrono::seconds age) const {
    for (const auto& line : lines_of(path_)) {
        if (!line.starts_with(question + "\t")) continue;
        const std::string rest = line.substr(question.size() + 1);
        const auto tab = rest.find('\t');
        std::int64_t when = 0;
        const auto [end, fault] =
            std::from_chars(rest.data(), rest.data() + std::min(tab, rest.size()), when);
        const std::int64_t old = now() - when;
        if (tab == std::string::npos || fault != std::errc() || old < 0 || old > age.count())
            return std::nullopt;
        return rest.substr(tab + 1);
    }
    return std::nullopt;
}

void AnswerCache::keep(const std::string& question, const std::string& answer) const {
    if ((question + answer).find_first_of("\t\n") != std::string::npos) return;
    const std::string directory = "/" + parent_of(path_.substr(1));
    if (mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) return;
    std::string text = question + "\t" + std::to_string(now()) + "\t" + answer + "\n";
    std::size_t count = 1;
    for (const auto& line : lines_of(path_))
        if (!line.starts_with(question + "\t") && ++count <= kMost) text += line + "\n";

    std::string made = path_ + ".XXXXXX";
    const Fd file(mkostemp(made.data(), O_CLOEXEC));
    if (!file.ok()) return;
    if (fchmod(file.get(), 0644) < 0 || !write_all(file.get(), text) ||
        rename(made.c_str(), path_.c_str()) < 0)
        unlink(made.c_str());
}

std::string emulator_state(const std::string& program) {
    std::string state = program + " " + state_of(program);
    // util/module.c of qemu: the folder that it was built for, and the one beside its own; Debian
    // also looks in /run/qemu after an upgrade, by version.
    const std::string beside = "/" + parent_of(parent_of(program.substr(1))) + "/lib";
    for (const auto* below : {"/qemu", "/*/qemu"}) add_modules(beside + below, state);
    for (const char* pattern : {"/usr/lib/*/qemu", "/usr/lib/qemu", "/usr/lib64/qemu",
                                "/usr/local/lib/*/qemu", "/usr/local/lib/qemu", "/run/qemu/*"}) {
        add_modules(pattern, state);
    }
    for (const char* path : {"/etc/ld.so.cache", "/etc/ld.so.preload"})
        state += " " + std::string(path) + " " + state_of(path);
    return state;
}

}  // namespace sfg::hooks
