// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/look/look_text.hpp"

#include <charconv>
#include <iterator>

namespace sfg::hooks {
namespace {

constexpr const char* kTops[] = {"file", "link", "other", "missing", "unknown"};

void add(std::string& text, const std::string& word) {
    text += word.substr(0, word.find('\0'));
    text += '\0';
}

}  // namespace

std::string look_to_text(const ChainLook& look) {
    std::string text;
    add(text, kTops[static_cast<int>(look.top)]);
    add(text, look.why);
    for (const auto& image : look.unpadded) {
        add(text, image.path);
        add(text, std::to_string(image.size));
    }
    return text;
}

ChainLook look_from_text(std::string_view text) {
    const auto words = words_of(text);
    ChainLook look;
    look.why = "there was no answer";
    if (words.size() < 2) return look;
    for (std::size_t top = 0; top < std::size(kTops); ++top)
        if (words[0] == kTops[top]) {
            look.top = static_cast<ChainLook::Top>(top);
            look.why = words[1];
        }
    for (std::size_t i = 2; i + 1 < words.size(); i += 2) {
        Unpadded image{words[i], 0};
        std::from_chars(words[i + 1].data(), words[i + 1].data() + words[i + 1].size(), image.size);
        look.unpadded.push_back(std::move(image));
    }
    return look;
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto end = text.find('\0');
        if (end == std::string_view::npos) break;
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return words;
}

}  // namespace sfg::hooks
