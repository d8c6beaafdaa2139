// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <glusterfs/api/glfs.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"

struct glfs_object;

namespace sfg {

// One glfs_t: a client of one gluster volume with its own threads and caches (20-30 MiB). Kept for
// the life of the process and shared by all that use the volume, see Connections. Thread-safe.
class Connection {
  public:
    // Connects to the first of `servers` that has the volume. Blocks: up to half of `limit` to find
    // a server that answers, and then as long as gluster takes. Call it on a thread that may wait.
    // `reached` is called when a server has answered and gluster's own part begins.
    static Result<std::shared_ptr<Connection>> open(const VolumeAddress& address,
                                                    std::chrono::milliseconds limit,
                                                    const std::function<void()>& reached);

    // glfs_fini waits ten seconds for a timer that it can no longer cancel (glusterfs 10.3 and
    // 11.1, libglusterfs/src/timer.c), so it runs on a thread of its own.
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Gluster's uuid of the volume, 16 bytes: the volume's identity whatever host was asked.
    const std::string& volume_id() const { return volume_id_; }
    const std::string& volume() const { return volume_; }

    // The volume's root, looked up once: its gfid is the same for ever. Valid as long as this.
    glfs_object* root() const { return root_; }

    // The handle for gfapi calls. Fails in a child that was forked and did not exec: the threads
    // that serve the handle stayed in the parent and a call would wait for ever.
    Result<glfs_t*> fs() const;

  private:
    Connection(glfs_t* fs, glfs_object* root, std::string volume, std::string volume_id);

    glfs_t* fs_;
    glfs_object* root_;
    pid_t pid_;
    std::string volume_;
    std::string volume_id_;
};

}  // namespace sfg
