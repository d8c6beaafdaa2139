// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/utf8.hpp"

#include <glib.h>

namespace sfg {

int utf8_length(std::string_view text) {
    if (text.empty()) return 0;
    const gunichar character =
        g_utf8_get_char_validated(text.data(), static_cast<gssize>(text.size()));
    if (character == static_cast<gunichar>(-1) || character == static_cast<gunichar>(-2)) return 0;
    return g_unichar_to_utf8(character, nullptr);
}

bool is_utf8(std::string_view text) {
    return g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr) != FALSE;
}

}  // namespace sfg
