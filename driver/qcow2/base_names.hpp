// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "driver/core/result.hpp"

namespace sfg::qcow2 {

// Whether a header may record this base: 1 to 1023 bytes of name and 1 to 15 of format, without a
// NUL. Errors: invalid, one sentence. Whether they fit the first cluster is another question.
Result<void> check_base_names(const std::string& name, const std::optional<std::string>& format);

}  // namespace sfg::qcow2
