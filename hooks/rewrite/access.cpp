// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/access.hpp"

#include "driver/core/log.hpp"

namespace sfg::hooks {

Result<std::optional<Access>> parse_access(const std::string& word) {
    if (word == "network") return std::optional(Access::network);
    if (word == "file") return std::optional(Access::file);
    if (word == "auto") return std::optional<Access>();
    return Error(ErrorKind::invalid,
                 "the access must be network, file or auto, not '" + escaped(word) + "'");
}

}  // namespace sfg::hooks
