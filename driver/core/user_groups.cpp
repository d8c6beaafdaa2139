// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/user_groups.hpp"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>

namespace sfg {

std::vector<gid_t> groups_of(uid_t user, gid_t group) {
    constexpr std::size_t kLargestEntry = 1 << 20;
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> text(4096);
    while (getpwuid_r(user, &entry, text.data(), text.size(), &found) == ERANGE &&
           text.size() < kLargestEntry)
        text.resize(text.size() * 2);
    if (found == nullptr) return {group};

    std::vector<gid_t> groups(64);
    int count = static_cast<int>(groups.size());
    if (getgrouplist(entry.pw_name, group, groups.data(), &count) < 0) {
        groups.resize(static_cast<std::size_t>(count));
        if (getgrouplist(entry.pw_name, group, groups.data(), &count) < 0) return {group};
    }
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

}  // namespace sfg
