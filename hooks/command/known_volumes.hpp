// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"
#include "hooks/rewrite/known_volumes.hpp"

namespace sfg::command {

// The volumes of this host with that configuration. A file that is not there is an error unless it
// is the one that is read by default.
Result<hooks::KnownVolumes> known_volumes(const std::string& configuration);

}  // namespace sfg::command
