// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"

namespace sfg {

// ErrorKind::unsupported, with the Debian package to install, where there is no program `path`.
Result<void> need_program(const std::string& path, const std::string& package);

}  // namespace sfg
