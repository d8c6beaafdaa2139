// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "hooks/doctor/finding.hpp"

namespace sfg::doctor {

// Looks at this host: what libvirtd loads, the hook, emulators, gluster volumes and their options,
// FUSE mounts, images. `configuration` is the path of sf-gluster.conf. Each part has its own time
// limit; the whole takes seconds. Changes nothing. `say` is told what is being looked at.
Findings examine(const std::string& configuration, void (*say)(const std::string& doing));

}  // namespace sfg::doctor
