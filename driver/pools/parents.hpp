// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "driver/core/result.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// The directories between a pool and a volume. Those that a creation made bear a mark and go with
// the last volume in them; those that somebody made on purpose stay.
inline constexpr char kMadeForVolumeAttribute[] = "trusted.sfgluster.made-for-volume";

// Walks `path` from `start` and makes what is missing, with `mark` as an extended attribute where
// one is given. ErrorKind::invalid where a component on the way is a file or a link.
Result<Object> make_directories(const Object& start, const std::string& path,
                                std::optional<std::string> mark);

// The directory that the volume `name` is to stand in, made where it is missing.
Result<Object> make_parents(const OpenPool& pool, const std::string& name);

// After `name` is gone: removes its parents from below while they are marked and empty. What
// cannot be removed stays.
void remove_parents(const OpenPool& pool, const std::string& name);

}  // namespace sfg
