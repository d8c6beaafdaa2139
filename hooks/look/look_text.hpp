// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hooks/look/chain_look.hpp"

namespace sfg::hooks {

// Looks as text, for the way from a process that looks to one that waits: words that end with a
// NUL. Nothing of it is trusted: what cannot be read is "unknown".
std::string look_to_text(const ChainLook& look);
ChainLook look_from_text(std::string_view text);

// The words in such a text.
std::vector<std::string> words_of(std::string_view text);

}  // namespace sfg::hooks
