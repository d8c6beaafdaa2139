// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/shell_word.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "driver/core/log.hpp"

namespace sfg::hooks {
namespace {

bool is_plain(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_./:=,@%+-").find(static_cast<char>(c)) != std::string_view::npos;
}

std::string in_quotes(const std::string& text) {
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'')
            word += "'\\''";
        else
            word += c;
    }
    return word + "'";
}

std::string in_dollar_quotes(const std::string& text) {
    std::string word = "$'";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_plain(byte) || c == ' ') {
            word += c;
        } else {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\x%02x", byte);
            word += escape;
        }
    }
    return word + "'";
}

}  // namespace

std::string shell_word(const std::string& text) {
    if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain)) return text;
    // What messages would show otherwise than it is.
    std::string shown = text;
    std::erase(shown, '\\');
    return escaped(shown) == shown ? in_quotes(text) : in_dollar_quotes(text);
}

}  // namespace sfg::hooks
