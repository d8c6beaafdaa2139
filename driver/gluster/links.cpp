// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/links.hpp"

#include <glusterfs/api/glfs-handles.h>

#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <string_view>
#include <vector>

#include "driver/core/path.hpp"
#include "driver/gluster/directory.hpp"

namespace sfg {
namespace {

constexpr int kMostLinks = 40;  // MAXSYMLINKS of Linux

Error nowhere(int error) {
    return Error(ErrorKind::not_found, error, "it leads nowhere: " + errno_text(error));
}

Result<std::string> target_of(const Object& link) {
    SFG_TRY_ASSIGN(glfs_t* const fs, link.connection()->fs());
    std::array<char, PATH_MAX> text;
    const int size = glfs_h_readlink(fs, link.handle(), text.data(), text.size());
    if (size < 0) return Error::from_errno(errno, "cannot read the link");
    return std::string(text.data(), static_cast<std::size_t>(size));
}

// Puts the components of `path` before those that are still to be walked.
void walk_first(std::string_view path, std::deque<std::string>& to_walk) {
    const auto parts = path_components(path);
    to_walk.insert(to_walk.begin(), parts.begin(), parts.end());
}

struct Step {
    std::string name;
    Object object;
};

}  // namespace

Result<Resolved> follow_links(const std::shared_ptr<Connection>& connection,
                              const std::string& path) {
    SFG_TRY_ASSIGN(const Object root, root_of(connection));
    std::vector<Step> walked;
    std::deque<std::string> to_walk;
    walk_first(path, to_walk);
    int links = 0;
    while (!to_walk.empty()) {
        const std::string name = to_walk.front();
        to_walk.pop_front();
        if (name == ".") continue;
        if (name == "..") {  // "/.." is "/"
            if (!walked.empty()) walked.pop_back();
            continue;
        }
        const Object& at = walked.empty() ? root : walked.back().object;
        if (!at.is_directory()) return nowhere(ENOTDIR);
        auto next = lookup(at, name);
        if (!next) return next.error();
        if (!next->is_link()) {
            walked.push_back({name, *std::move(next)});
            continue;
        }
        if (++links > kMostLinks) return nowhere(ELOOP);
        SFG_TRY_ASSIGN(const std::string target, target_of(*next));
        if (target.empty()) return nowhere(ENOENT);
        if (target.starts_with('/')) walked.clear();
        walk_first(target, to_walk);
        if (to_walk.size() > PATH_MAX) return nowhere(ELOOP);
    }
    std::string resolved;
    for (const auto& step : walked) resolved += (resolved.empty() ? "" : "/") + step.name;
    return Resolved{walked.empty() ? root : walked.back().object, resolved};
}

}  // namespace sfg
