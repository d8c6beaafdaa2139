// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"
#include "driver/disks/disk.hpp"
#include "driver/disks/disk_file.hpp"

namespace sfg {

// What a forked child has its parent do (core/parent.hpp): libvirt changes the owner of a guest's
// disks in one (security_dac.c, virSecurityDACTransactionCommit).
Result<void> chown_disk_by_parent(const Disk& disk, User owner);

// The parent's side, a ParentService.
Result<void> serve_disk_request(const std::string& request);

}  // namespace sfg
