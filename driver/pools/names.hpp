// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "driver/core/path.hpp"
#include "driver/core/result.hpp"
#include "driver/gluster/gfid.hpp"

namespace sfg {

// What volumes may be called. A volume's name is its path below the pool's directory
// ("instances/<uuid>/vda"); paths inside a gluster volume are written without a leading slash
// ("" is the root) everywhere in this layer.

inline constexpr std::size_t kLongestComponent = 255;  // bytes; NAME_MAX of the bricks
inline constexpr std::size_t kMostComponents = 64;     // a stranger may nest as deep as he likes
inline constexpr std::size_t kLongestPath = 4095;      // bytes; PATH_MAX without its NUL

// Whether a volume may be made under this name. ErrorKind::invalid with a sentence that says what
// is wrong: an empty component, ".", "..", a leading or trailing '/', a control character, invalid
// UTF-8, a component over 255 bytes, a name that is reserved.
Result<void> check_volume_name(const std::string& name);

// Whether an entry of a directory is shown as a volume or looked into as a directory: those names
// that check_volume_name allows.
bool is_shown(const std::string& component);

// .trashcan and .glusterfs, wherever they stand: what gluster keeps for itself unless it is told
// otherwise.
bool is_glusters_own(std::string_view component);

// The same by what cannot be changed: the trash directory, which features.trash-dir may call
// anything, and the one beside it have gfids of their own (xlators/features/trash/src/trash.h).
bool is_glusters_own(const Gfid& gfid);

// ".<name>.sfgluster-<id>": DHT places it on the brick of <name> (its rsync-hash-regex), so that
// it gets its final name without a link file on another brick. <id> is 16 hex digits.
std::string temporary_name(const std::string& component, std::uint64_t id);
bool is_temporary_name(const std::string& component);

}  // namespace sfg
