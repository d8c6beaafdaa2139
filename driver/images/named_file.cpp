// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/images/named_file.hpp"

#include <utility>

#include "driver/core/path.hpp"

namespace sfg {
namespace {

// Does ".." follow a name, in a path from a root?
bool climbs_from_a_name(const std::string& path) {
    bool name_before = false;
    for (const std::string_view component : split_path(path)) {
        if (component == "..") {
            if (name_before) return true;
        } else if (!component.empty() && component != ".") {
            name_before = true;
        }
    }
    return false;
}

}  // namespace

NamedFile file_of_bare_name(const std::string& name) {
    // qemu's open() takes this for the descriptors that it was handed (osdep.c,
    // qemu_open_internal).
    if (name.empty() || name.starts_with("/dev/fdset/")) return NamedFile{};
    if (!name.starts_with('/')) return NamedFile{NamedFile::Kind::working_directory, name};
    NamedFile file{NamedFile::Kind::local, "/" + normalized_below_root(name)};
    file.climbs = climbs_from_a_name(name);
    return file;
}

NamedFile file_of_gluster(const std::string& volume, const std::string& path,
                          std::vector<Server> servers) {
    if (!is_volume_name(volume)) return NamedFile{};
    NamedFile file{NamedFile::Kind::gluster, normalized_below_root(path), volume,
                   std::move(servers)};
    file.climbs = climbs_from_a_name(path);
    return file;
}

}  // namespace sfg
