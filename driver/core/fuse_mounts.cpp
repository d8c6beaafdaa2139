// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/fuse_mounts.hpp"

#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "driver/core/path.hpp"

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
    std::string source;   // host:/volume[/directory] or host:volume
    std::string options;  // of the file system, with ',' between them
};

// The fields between single spaces; the kernel escapes those inside, but no other white space.
std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields(1);
    for (const char c : line) {
        if (c == ' ')
            fields.emplace_back();
        else
            fields.back() += c;
    }
    return fields;
}

std::optional<Mount> parse_mount(const std::string& line) {
    const auto fields = fields_of(line);
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (dash - fields.begin() < 6 || fields.end() - dash < 4) return std::nullopt;
    const auto point = normalized(unescape_octal(fields[4]));
    if (!point) return std::nullopt;
    return Mount{unescape_octal(fields[3]), *point, dash[1], unescape_octal(dash[2]), dash[3]};
}

std::vector<Mount> parse_mounts(std::string_view mountinfo) {
    std::vector<Mount> mounts;
    std::istringstream lines{std::string(mountinfo)};
    for (std::string line; std::getline(lines, line);)
        if (auto mount = parse_mount(line)) mounts.push_back(*std::move(mount));
    return mounts;
}

// Whether gluster would make a volume of that name (glusterd: letters, digits, '-' and '_').
bool is_a_volumes_name(std::string_view name) {
    return !name.empty() && name.find_first_not_of(
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-_") == std::string_view::npos;
}

// Takes the source of a mount apart: SERVER:VOLFILE-ID[/SUBDIRECTORY], where the id is the volume
// with or without a '/' before it (fuse-bridge.c, init). The volume stays empty where it is none:
// of a volume file (glusterfs:(null), or its path), or of --fs-display-name. Nothing for a
// snapshot.
std::optional<FuseMount> taken_apart(const std::string& source) {
    FuseMount found;
    // No server has a '/', and a directory may have a ':'.
    const auto slash = source.find('/');
    const auto colon = source.rfind(':', slash);
    if (colon == std::string::npos) return found;
    const auto path = normalized(std::string_view(source).substr(colon + 1));
    if (!path) return found;
    // host:/snaps/SNAPSHOT/VOLUME is a snapshot, not the volume "snaps" (glusterfs's
    // mount.glusterfs).
    if (path->starts_with("snaps/")) return std::nullopt;
    std::string_view in_volume = *path;
    // With the option thin-client (glusterfsd.c).
    constexpr std::string_view kProxy = "gfproxy-client/";
    if (in_volume.starts_with(kProxy)) in_volume.remove_prefix(kProxy.size());
    // With the option transport=tcp the id is VOLUME.tcp (mount.glusterfs), and no volume's name
    // has a dot.
    const auto id = in_volume.substr(0, in_volume.find('/'));
    const auto volume = id.substr(0, id.find('.'));
    if (!is_a_volumes_name(volume)) return found;
    found.volume = volume;
    found.directory = in_volume.substr(std::min(in_volume.size(), id.size() + 1));
    // Of several in fstab the first.
    found.server = source.substr(0, std::min(colon, source.find(',')));
    if (found.server.starts_with('[') && found.server.ends_with(']'))
        found.server = found.server.substr(1, found.server.size() - 2);
    return found;
}

std::optional<FuseMount> gluster_mount(const Mount& mount) {
    if (mount.type != "fuse.glusterfs") return std::nullopt;
    // fusermount lets every user choose the type and the source of a mount, but not the user.
    if (("," + mount.options + ",").find(",user_id=0,") == std::string::npos) return std::nullopt;
    // Something bind-mounted that is gone since.
    if (mount.root.ends_with("//deleted")) return std::nullopt;
    const auto root = normalized(mount.root);
    auto found = taken_apart(mount.source);
    if (!found || !root) return std::nullopt;
    found->directory = join_path(found->directory, *root);
    found->mount_point = "/" + mount.point;
    return found;
}

// The mount that a normalized path lies on.
std::optional<Mount> mount_of(const std::string& path, std::string_view mountinfo) {
    std::optional<Mount> best;
    for (Mount& mount : parse_mounts(mountinfo)) {
        if (path != mount.point && !is_below(path, mount.point)) continue;
        // The longest mount point has the file; of equal ones the last, which lies on top.
        if (!best || mount.point.size() >= best->point.size()) best = std::move(mount);
    }
    return best;
}

}  // namespace

std::vector<FuseMount> parse_fuse_mounts(std::string_view mountinfo) {
    std::vector<FuseMount> found;
    for (const Mount& mount : parse_mounts(mountinfo)) {
        // What is mounted on top hides what is below.
        std::erase_if(found, [&](const FuseMount& earlier) {
            const std::string point = earlier.mount_point.substr(1);
            return point == mount.point || is_below(point, mount.point);
        });
        if (auto gluster = gluster_mount(mount); gluster && !gluster->volume.empty())
            found.push_back(*std::move(gluster));
    }
    return found;
}

std::vector<std::string> parse_mount_points(std::string_view mountinfo) {
    std::vector<std::string> points;
    for (const Mount& mount : parse_mounts(mountinfo)) points.push_back("/" + mount.point);
    return points;
}

std::optional<FusePath> parse_fuse_path(const std::string& path, std::string_view mountinfo) {
    const auto wanted = normalized(path);
    if (!wanted) return std::nullopt;
    const auto best = mount_of(*wanted, mountinfo);
    if (!best) return std::nullopt;
    const auto mount = gluster_mount(*best);
    if (!mount) return std::nullopt;
    FusePath found;
    found.below = best->point.empty()
                      ? *wanted
                      : wanted->substr(std::min(wanted->size(), best->point.size() + 1));
    found.volume = mount->volume;
    found.path = join_path(mount->directory, found.below);
    found.mount_point = mount->mount_point;
    return found;
}

std::string own_mountinfo() {
    std::ifstream file("/proc/self/mountinfo");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::optional<FusePath> fuse_path(const std::string& path) {
    return parse_fuse_path(path, own_mountinfo());
}

std::string gfid_over_fuse(const std::string& path) {
    std::array<char, 64> text;
    const ssize_t size = lgetxattr(path.c_str(), "glusterfs.gfid.string", text.data(), text.size());
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "";
}

}  // namespace sfg
