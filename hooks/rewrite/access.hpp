// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "driver/core/result.hpp"

namespace sfg::hooks {

// How a guest reaches the images of a gluster volume.
enum class Access {
    network,  // <disk type='network'>: qemu's own gluster driver
    file,     // <disk type='file'> on a FUSE mount
};

// "network", "file", or "auto", which is nothing: whatever suits the host. ErrorKind::invalid for
// other words.
Result<std::optional<Access>> parse_access(const std::string& word);

}  // namespace sfg::hooks
