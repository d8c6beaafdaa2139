// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glusterfs/api/glfs.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"

namespace sfg {

// Gluster's uuid of the volume that `fs`, which is connected, is of: 16 bytes; nothing where
// glusterd does not tell. Asks glusterd.
std::optional<std::string> told_volume_id(glfs_t* fs);

// The hosts of the volume's bricks, each once, as the volume file of `fs` has them: 64 at most.
std::vector<Server> brick_hosts(glfs_t* fs);

// The same of the text of a volume file.
std::vector<Server> brick_hosts_in(const std::string& volume_file);

// The volume's uuid, told by glusterd or, where `address` has a socket, by the glusterds of its
// bricks' hosts: to its own socket (/run/glusterd.socket) glusterd gives volume files, and no ids
// (glusterd-handshake.c; seen with 10.3). ErrorKind::not_connected where none of them tells.
// Blocks, `limit` at most for finding one that answers.
Result<std::string> volume_id_of(glfs_t* fs, const VolumeAddress& address,
                                 std::chrono::milliseconds limit);

}  // namespace sfg
