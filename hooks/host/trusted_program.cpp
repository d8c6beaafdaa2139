// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/host/trusted_program.hpp"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"

namespace sfg::hooks {
namespace {

Result<void> check_on_the_way(const std::string& path, unsigned root) {
    struct stat stat;
    if (lstat(path.c_str(), &stat) < 0) return Error::from_errno(errno, escaped(path));
    // A link's mode says nothing; who may change it, its directory's does.
    if (stat.st_uid != root ||
        (!S_ISLNK(stat.st_mode) && (stat.st_mode & (S_IWGRP | S_IWOTH)) != 0))
        return Error(ErrorKind::denied, escaped(path) + " is not root's alone to write");
    return {};
}

// "/", "/usr", "/usr/bin", "/usr/bin/program"
Result<void> check_each(const std::string& path, unsigned root) {
    std::string part;
    SFG_TRY(check_on_the_way("/", root));
    for (const auto component : split_path(path)) {
        if (component.empty()) continue;
        // What is behind a link is looked at where it is.
        if (component == "..") return Error(ErrorKind::invalid, escaped(path) + " has '..' in it");
        part += "/" + std::string(component);
        SFG_TRY(check_on_the_way(part, root));
    }
    return {};
}

}  // namespace

Result<std::string> trusted_program(const std::string& path, unsigned root) {
    if (!path.starts_with('/') || path.size() >= PATH_MAX)
        return Error(ErrorKind::invalid, "'" + escaped(path) + "' is no absolute path");
    SFG_TRY(check_each(path, root));
    std::array<char, PATH_MAX> real;
    if (realpath(path.c_str(), real.data()) == nullptr)
        return Error::from_errno(errno, escaped(path));
    // Links that lead to further links have been followed by names that were not looked at; where
    // they end has.
    SFG_TRY(check_each(real.data(), root));
    struct stat stat;
    if (lstat(real.data(), &stat) < 0) return Error::from_errno(errno, escaped(path));
    if (!S_ISREG(stat.st_mode) || (stat.st_mode & 0111) == 0)
        return Error(ErrorKind::denied, escaped(path) + " is no program");
    return std::string(real.data());
}

}  // namespace sfg::hooks
