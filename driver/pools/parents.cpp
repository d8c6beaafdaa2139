// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/parents.hpp"

#include <cerrno>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/pools/names.hpp"

namespace sfg {
namespace {

Result<Object> make_one(const Object& directory, const std::string& name,
                        const std::optional<std::string>& mark) {
    auto made = make_directory(directory, name, kDirectoryMode);
    if (!made) {
        if (made.error().kind() == ErrorKind::exists) return lookup(directory, name);
        return made;
    }
    // A volume without extended attributes of ours just keeps its directories.
    if (!mark) return made;
    if (auto marked = made->set_attribute(mark->c_str(), "1"); !marked)
        log_debug("directory '" + escaped(name) + "': " + marked.error().message());
    return made;
}

}  // namespace

Result<Object> make_directories(const Object& start, const std::string& path,
                                std::optional<std::string> mark) {
    Object at = start;
    for (const std::string& component : path_components(path)) {
        auto next = lookup(at, component);
        if (!next && next.error().system_errno() == ENOENT) next = make_one(at, component, mark);
        if (!next) return next.error().with_context("directory '" + escaped(component) + "'");
        if (is_glusters_own(next->gfid()))
            return Error(
                ErrorKind::invalid, EPERM,
                "'" + escaped(component) + "' is gluster's own directory (features.trash)");
        if (!next->is_directory())
            return Error(ErrorKind::invalid, ENOTDIR,
                         "'" + escaped(component) + "' on the way to it is not a directory");
        at = *std::move(next);
    }
    return at;
}

Result<Object> make_parents(const OpenPool& pool, const std::string& name) {
    return make_directories(pool.directory, parent_of(name), kMadeForVolumeAttribute);
}

void remove_parents(const OpenPool& pool, const std::string& name) {
    for (std::string path = parent_of(name); !path.empty(); path = parent_of(path)) {
        const auto directory = lookup_path(pool.directory, path);
        // One that a failed creation did not come to make: those above it may be ours.
        if (!directory && directory.error().kind() == ErrorKind::not_found) continue;
        if (!directory || !directory->is_directory()) return;
        const auto mark = directory->attribute(kMadeForVolumeAttribute);
        if (!mark || !mark->has_value()) return;
        const auto above = lookup_path(pool.directory, parent_of(path));
        if (!above || !remove_directory(*above, last_of(path))) return;  // not empty, most often
    }
}

}  // namespace sfg
