// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/gluster/address.hpp"

namespace sfg::hooks {

// What is given to mount(8) for a gluster volume, or a directory of it.
struct GlusterSource {
    std::string volume;
    std::string directory;  // in the volume, normalized; "" is its root
    std::vector<Server> servers;
};

// host:/volume[/directory], host:volume; several hosts with ',' between them (mount.glusterfs).
// Nothing for what names no volume, and for snapshots.
std::optional<GlusterSource> parse_gluster_source(std::string_view text);

// Adds the servers that mount.glusterfs's options name ("backup-volfile-servers=sf-2:sf-3", with
// ',' between options).
void add_backup_servers(std::vector<Server>& servers, std::string_view options);

// One gluster mount of fstab(5).
struct FstabMount {
    GlusterSource source;     // backup-volfile-servers included
    std::string mount_point;  // absolute, normalized
};

// Those of the type glusterfs in /etc/fstab's text.
std::vector<FstabMount> parse_fstab(const std::string& fstab);

}  // namespace sfg::hooks
