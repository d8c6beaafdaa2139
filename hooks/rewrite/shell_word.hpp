// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace sfg::hooks {

// `text` as one word for a shell to be pasted, on one line whatever is in it: as it is, in quotes,
// or, with control characters or what is no UTF-8, in bash's $'...'.
std::string shell_word(const std::string& text);

}  // namespace sfg::hooks
