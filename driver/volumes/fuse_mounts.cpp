// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/fuse_mounts.hpp"

#include <sys/xattr.h>

#include <array>
#include <fstream>
#include <sstream>
#include <vector>

#include "driver/volumes/names.hpp"

namespace sfg {
namespace {

// mountinfo writes space, tab, newline and backslash as \ooo.
std::string unescape_octal(std::string_view field) {
    std::string out;
    for (std::size_t i = 0; i < field.size(); ++i) {
        auto digit = [&](std::size_t at) { return field[at] >= '0' && field[at] <= '7'; };
        if (field[i] == '\\' && i + 3 < field.size() && digit(i + 1) && digit(i + 2) &&
            digit(i + 3)) {
            out += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 +
                                     (field[i + 3] - '0'));
            i += 3;
        } else {
            out += field[i];
        }
    }
    return out;
}

struct Mount {
    std::string root;   // directory of the file system that is mounted; "/" for FUSE
    std::string point;  // where, normalized
    std::string type;
    std::string source;  // host:/volume[/directory] or host:volume
};

std::optional<Mount> parse_mount(const std::string& line) {
    std::istringstream fields(line);
    std::string skipped, root, point, field, type, source;
    if (!(fields >> skipped >> skipped >> skipped >> root >> point)) return std::nullopt;
    while (fields >> field && field != "-") {
    }
    if (!(fields >> type >> source)) return std::nullopt;
    const auto normal = normalized(unescape_octal(point));
    if (!normal) return std::nullopt;
    return Mount{unescape_octal(root), *normal, type, unescape_octal(source)};
}

}  // namespace

std::optional<FusePath> parse_fuse_path(const std::string& path, std::string_view mountinfo) {
    const auto wanted = normalized(path);
    if (!wanted) return std::nullopt;
    std::istringstream lines{std::string(mountinfo)};
    std::optional<Mount> best;
    for (std::string line; std::getline(lines, line);) {
        auto mount = parse_mount(line);
        if (!mount) continue;
        if (*wanted != mount->point && !is_below(*wanted, mount->point)) continue;
        // The longest mount point has the file; of equal ones the last, which lies on top.
        if (!best || mount->point.size() >= best->point.size()) best = std::move(mount);
    }
    if (!best || best->type != "fuse.glusterfs") return std::nullopt;

    std::string_view source = best->source;
    const auto colon = source.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    source.remove_prefix(colon + 1);
    const auto in_volume = normalized(source);
    if (!in_volume || in_volume->empty()) return std::nullopt;
    const auto slash = in_volume->find('/');
    const std::string below_mount =
        best->point.empty() ? *wanted
                            : wanted->substr(std::min(wanted->size(), best->point.size() + 1));
    FusePath found;
    found.volume = in_volume->substr(0, slash);
    found.path = slash == std::string::npos ? "" : in_volume->substr(slash + 1);
    if (const auto root = normalized(best->root)) found.path = join_path(found.path, *root);
    found.path = join_path(found.path, below_mount);
    found.mount_point = "/" + best->point;
    found.below = below_mount;
    return found;
}

std::optional<FusePath> fuse_path(const std::string& path) {
    std::ifstream file("/proc/self/mountinfo");
    std::ostringstream text;
    text << file.rdbuf();
    return parse_fuse_path(path, text.str());
}

namespace {

template <typename Get>
std::string gfid_by(Get get, const std::string& path) {
    std::array<char, 64> text;
    const ssize_t size = get(path.c_str(), "glusterfs.gfid.string", text.data(), text.size());
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "";
}

}  // namespace

std::string gfid_over_fuse(const std::string& path) {
    return gfid_by(lgetxattr, path);
}

std::string gfid_over_fuse_followed(const std::string& path) {
    return gfid_by(getxattr, path);
}

}  // namespace sfg
