// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sfg {

// Names of files as text; nothing here looks at a file system.

// What stands between the slashes of a path, empty where two meet.
std::vector<std::string_view> split_path(std::string_view path);

// The components of "a/b/c"; empty ones are passed over, "." and ".." are not touched.
std::vector<std::string> path_components(std::string_view path);

// "a/b" and "c" to "a/b/c"; either may be empty.
std::string join_path(std::string_view directory, std::string_view name);

// "a/b/c" to "a/b"; "c" to "".
std::string parent_of(const std::string& path);

// "a/b/c" to "c".
std::string last_of(const std::string& path);

// `path` with "", "." and ".." worked out, without a leading slash; nothing where ".." leads out
// of the root.
std::optional<std::string> normalized(std::string_view path);

// The same as the kernel and gluster do it: the root's ".." is the root.
std::string normalized_below_root(std::string_view path);

// How a file in `directory` names `path`, both from the volume's root and normalized:
// "instances/u" and "image_cache/x" give "../../image_cache/x".
std::string relative_path(const std::string& directory, const std::string& path);

// Is `path` below `directory` (or, with an empty one, anything)?
bool is_below(const std::string& path, const std::string& directory);

}  // namespace sfg
