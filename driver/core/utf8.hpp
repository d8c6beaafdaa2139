// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace sfg {

// The length in bytes (1 to 4) of the character that `text` begins with, or 0 where it is not
// valid UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing over U+10FFFF).
int utf8_length(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace sfg
