// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"
#include "hooks/rewrite/access.hpp"

namespace sfg::hooks {

// What /etc/libvirt/sf-gluster.conf (GKeyFile) says of a gluster volume:
//
//   [volume shakenfist]
//   servers=sf-1;sf-2:24007;/run/glusterd.socket
//   mount=/srv/shakenfist
//   mount-directory=instances
//   access=auto
//
// mount-directory is given when only that directory of the volume is mounted there.
struct VolumeGroup {
    std::string name;
    std::vector<Server> servers;
    std::string mount_point;       // absolute, normalized; "" where none is given
    std::string directory;         // in the volume, normalized; "" is its root
    std::optional<Access> access;  // nothing: auto
};

// All of them. ErrorKind::invalid says what in the file cannot be right.
Result<std::vector<VolumeGroup>> read_volume_groups(const std::string& configuration);

}  // namespace sfg::hooks
