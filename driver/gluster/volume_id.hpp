// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glusterfs/api/glfs.h>

#include <chrono>
#include <string>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"

namespace sfg {

// The hosts of a volume's bricks, each once, of the text of its volume file: 64 at most.
std::vector<Server> brick_hosts_in(const std::string& volume_file);

// Gluster's uuid of the volume that `fs`, which is connected, is of: 16 bytes, told by glusterd or,
// where `address` has a socket, by the glusterds of its bricks' hosts: to its own socket
// (/run/glusterd.socket) glusterd gives volume files, and no ids (glusterd-handshake.c; seen
// with 10.3). ErrorKind::not_connected where none of them tells. Blocks, `limit` at most for
// finding one that answers.
Result<std::string> volume_id_of(glfs_t* fs, const VolumeAddress& address,
                                 std::chrono::milliseconds limit);

}  // namespace sfg
