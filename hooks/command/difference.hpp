// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"

namespace sfg::command {

// What changed between two texts of lines, as `diff --unified` shows it (three lines around), with
// `name` in its head; "" where nothing did. Errors: the program could not do it.
Result<std::string> difference(const std::string& name, const std::string& before,
                               const std::string& after);

}  // namespace sfg::command
