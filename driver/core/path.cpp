// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/path.hpp"

namespace sfg {

std::vector<std::string_view> split_path(std::string_view path) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto slash = path.find('/');
        parts.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) return parts;
        path.remove_prefix(slash + 1);
    }
}

std::vector<std::string> path_components(std::string_view path) {
    std::vector<std::string> parts;
    for (const std::string_view part : split_path(path))
        if (!part.empty()) parts.emplace_back(part);
    return parts;
}

std::string join_path(std::string_view directory, std::string_view name) {
    if (directory.empty()) return std::string(name);
    if (name.empty()) return std::string(directory);
    return std::string(directory) + "/" + std::string(name);
}

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string last_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

namespace {

std::optional<std::string> worked_out(std::string_view path, bool root_is_its_own_parent) {
    std::vector<std::string_view> kept;
    for (const std::string_view component : split_path(path)) {
        if (component.empty() || component == ".") continue;
        if (component != "..") {
            kept.push_back(component);
        } else if (!kept.empty()) {
            kept.pop_back();
        } else if (!root_is_its_own_parent) {
            return std::nullopt;
        }
    }
    std::string out;
    for (const std::string_view component : kept) {
        if (!out.empty()) out += '/';
        out += component;
    }
    return out;
}

}  // namespace

std::optional<std::string> normalized(std::string_view path) {
    return worked_out(path, false);
}

std::string normalized_below_root(std::string_view path) {
    return worked_out(path, true).value_or("");
}

std::string relative_path(const std::string& directory, const std::string& path) {
    std::vector<std::string_view> from;
    if (!directory.empty()) from = split_path(directory);
    const std::vector<std::string_view> to = split_path(path);
    std::size_t shared = 0;
    while (shared < from.size() && shared + 1 < to.size() && from[shared] == to[shared]) ++shared;
    std::string out;
    for (std::size_t i = shared; i < from.size(); ++i) out = join_path(out, "..");
    for (std::size_t i = shared; i < to.size(); ++i) out = join_path(out, to[i]);
    return out;
}

bool is_below(const std::string& path, const std::string& directory) {
    return directory.empty() || (path.size() > directory.size() && path.starts_with(directory) &&
                                 path[directory.size()] == '/');
}

}  // namespace sfg
