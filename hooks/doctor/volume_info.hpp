// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>

#include "driver/core/result.hpp"
#include "hooks/doctor/finding.hpp"

namespace sfg::doctor {

// What `gluster volume info NAME --xml` says of a volume.
struct VolumeInfo {
    std::string name;
    bool started = false;
    int replicas = 1;
    int arbiters = 0;
    std::map<std::string, std::string> options;  // those that were set
};

// ErrorKind::not_found, with gluster's sentence, where there is no such volume; ErrorKind::invalid
// for what is no such answer.
Result<VolumeInfo> parse_volume_info(const std::string& xml);

// What of its options keeps guests from it, endangers their data, or was measured to make them
// faster or slower. qemu_uid is the number of qemu's user on this host; empty where there is none.
Findings check_volume(const VolumeInfo& info, const std::string& qemu_uid);

}  // namespace sfg::doctor
