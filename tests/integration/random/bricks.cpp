// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/random/bricks.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/integration/random/blocks.hpp"
#include "tests/support/command.hpp"

namespace sfg::test::random {
namespace {

namespace fs = std::filesystem;

std::string attribute(const std::string& path, const char* name) {
    std::array<char, 256> value{};
    const ssize_t size = lgetxattr(path.c_str(), name, value.data(), value.size());
    return size < 0 ? "" : std::string(value.data(), static_cast<std::size_t>(size));
}

bool is_link_of_distribution(const std::string& path) {
    return lgetxattr(path.c_str(), "trusted.glusterfs.dht.linkto", nullptr, 0) >= 0;
}

std::string hex(const std::string& bytes) {
    std::string out;
    for (const char c : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned char>(c));
        out += digits;
    }
    return out;
}

std::string first_bytes(const std::string& path, std::size_t length) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes(length, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(length));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return bytes;
}

std::uint64_t big_endian(const std::string& bytes, std::size_t at, std::size_t length) {
    std::uint64_t value = 0;
    for (std::size_t i = at; i < at + length && i < bytes.size(); ++i)
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

// `recorded` in an image at `name`, as a name from the tree's top.
std::string base_from_top(const std::string& name, const std::string& recorded) {
    if (recorded.starts_with('/') || recorded.find(':') != std::string::npos) return "?" + recorded;
    return (fs::path(directory_of(name)) / recorded).lexically_normal().string();
}

FileState state_of(const std::string& path, const std::string& name) {
    FileState state;
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) return state;
    state.exists = true;
    state.gfid = hex(attribute(path, "trusted.gfid"));
    state.format = "raw";
    state.base = "";
    state.capacity = static_cast<std::uint64_t>(status.st_size);
    const std::string header = first_bytes(path, kBlock);
    // A raw volume stays raw, whatever was written to it.
    if (header.size() < 72 || !header.starts_with("QFI\xfb") ||
        attribute(path, "trusted.sfgluster.format") == "raw") {
        state.block = block_name(header);
        return state;
    }
    state.format = "qcow2";
    state.capacity = big_endian(header, 24, 8);
    if (const auto at = big_endian(header, 8, 8); at != 0)
        state.base = base_from_top(name, header.substr(at, big_endian(header, 16, 4)));
    return state;
}

// A tree of links to what is on the bricks, so that relative names of bases lead to them.
void make_view(const Playground& ground, const Snapshot& snapshot) {
    const fs::path view = ground.scratch + "/view";
    fs::remove_all(view);
    fs::create_directories(view / Playground::kSub);
    for (const auto& [name, seen] : snapshot.files) fs::create_symlink(seen.path, view / name);
}

void look_into(const Playground& ground, const std::string& name, Seen& seen) {
    if (seen.state.format == "raw") return;
    const std::string image = ground.scratch + "/view/" + name;
    // Not its base: whether that is there is asked for itself.
    const Ran checked = run({"qemu-img", "check", "-q", "-U", "-f", "qcow2", image});
    if (!checked.ok()) {
        seen.damage = "qemu-img check: " + std::to_string(checked.status) + " " + checked.output;
        seen.only_leaks = checked.status == 3;
    }
    const std::string beginning = ground.scratch + "/beginning";
    fs::remove(beginning);
    const Ran read = run({"qemu-img", "dd", "-U", "-f", "qcow2", "-O", "raw", "bs=65536", "count=1",
                          "if=" + image, "of=" + beginning});
    if (read.ok()) seen.state.block = block_name(first_bytes(beginning, kBlock));
}

}  // namespace

std::map<std::string, FileState> Snapshot::states() const {
    std::map<std::string, FileState> all;
    for (const auto& [name, seen] : files) all.emplace(name, seen.state);
    return all;
}

FileState peek(const Playground& ground, const std::string& name) {
    for (const auto& brick : ground.bricks) {
        const std::string path = brick + ground.directory + "/" + name;
        if (is_link_of_distribution(path)) continue;
        if (FileState state = state_of(path, name); state.exists) return state;
    }
    return {};
}

Look look_at(const Playground& ground, const std::string& name, bool overlays) {
    Look look;
    look.begin = Clock::now();
    look.state = peek(ground, name);
    if (overlays)
        for (const auto& other : ground.names())
            if (const FileState state = peek(ground, other); state.base == name)
                look.overlays.emplace(other, state);
    look.end = Clock::now();
    return look;
}

std::vector<std::string> overlays_of(const Playground& ground, const std::string& name) {
    std::vector<std::string> found;
    for (const auto& other : ground.names())
        if (peek(ground, other).base == name) found.push_back(other);
    return found;
}

std::string fitting_name(const Playground& ground, Wish wish, std::size_t start) {
    const auto names = ground.names();
    const auto fits = [&](const std::string& name) {
        switch (wish) {
            case Wish::there:
                return peek(ground, name).exists;
            case Wish::not_there:
                return !peek(ground, name).exists;
            case Wish::a_base:
                return !overlays_of(ground, name).empty();
            case Wish::anything:
                break;
        }
        return true;
    };
    for (std::size_t i = 0; i < names.size(); ++i)
        if (const auto& name = names[(start + i) % names.size()]; fits(name)) return name;
    return names[start % names.size()];
}

Snapshot look(const Playground& ground) {
    Snapshot snapshot;
    for (const auto& brick : ground.bricks) {
        const std::string top = brick + ground.directory;
        for (const auto& entry : fs::recursive_directory_iterator(top)) {
            const std::string path = entry.path().string();
            const std::string name = path.substr(top.size() + 1);
            if (entry.is_directory()) {
                if (name != Playground::kSub) snapshot.others.push_back(name);
                continue;
            }
            if (!entry.is_regular_file() || entry.is_symlink()) {
                snapshot.others.push_back(name);
                continue;
            }
            if (is_link_of_distribution(path)) continue;
            Seen seen;
            seen.path = path;
            seen.state = state_of(path, name);
            struct stat status {};
            // One name of each file is gluster's own, below .glusterfs.
            if (lstat(path.c_str(), &status) == 0)
                seen.links = static_cast<int>(status.st_nlink) - 1;
            if (!snapshot.files.emplace(name, seen).second) snapshot.twice.push_back(name);
        }
    }
    make_view(ground, snapshot);
    for (auto& [name, seen] : snapshot.files)
        if (made_into(name).empty()) look_into(ground, name, seen);
    return snapshot;
}

std::string everywhere(const Playground& ground, const std::string& name) {
    std::string text = name + " is";
    int number = 0;
    for (const auto& brick : ground.bricks) {
        const std::string path = brick + ground.directory + "/" + name;
        ++number;
        struct stat status {};
        if (lstat(path.c_str(), &status) != 0) continue;
        char mode[16];
        std::snprintf(mode, sizeof(mode), "%o", static_cast<unsigned>(status.st_mode));
        text += " on brick " + std::to_string(number) + " " + mode + " " +
                std::to_string(status.st_size) + " bytes, gfid " +
                hex(attribute(path, "trusted.gfid")) +
                (is_link_of_distribution(path) ? ", a link of distribution;" : ";");
    }
    struct stat status {};
    const bool looked = lstat(ground.on_fuse(name).c_str(), &status) == 0;
    text += looked ? " over FUSE of " + std::to_string(status.st_size) + " bytes"
                   : " not over FUSE: " + std::string(std::strerror(errno));
    bool listed = false;
    std::error_code failed;
    for (const auto& entry :
         fs::directory_iterator(fs::path(ground.on_fuse(name)).parent_path(), failed))
        listed = listed || entry.path() == ground.on_fuse(name);
    return text + (listed ? ", and is listed there" : ", and is not listed there");
}

std::string made_into(const std::string& temporary) {
    constexpr char kMark[] = ".sfgluster-";
    constexpr std::size_t kDigits = 16;
    const std::string directory = directory_of(temporary);
    const std::string last = directory.empty() ? temporary : temporary.substr(directory.size() + 1);
    const auto mark = last.rfind(kMark);
    if (!last.starts_with('.') || mark == std::string::npos || mark < 2) return "";
    const std::string digits = last.substr(mark + sizeof(kMark) - 1);
    if (digits.size() != kDigits || !std::all_of(digits.begin(), digits.end(), [](char c) {
            return std::isxdigit(static_cast<unsigned char>(c)) != 0;
        }))
        return "";
    const std::string name = last.substr(1, mark - 1);
    return directory.empty() ? name : directory + "/" + name;
}

}  // namespace sfg::test::random
