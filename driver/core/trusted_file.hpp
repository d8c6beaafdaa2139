// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"

namespace sfg {

// The text of a configuration file, at most 1 MiB; empty where there is none. ErrorKind::denied
// for one that is not root's alone to write, or that is a link: what it says is done by root.
Result<std::string> read_trusted_file(const std::string& path);

}  // namespace sfg
