// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/look/look_text.hpp"

#include <charconv>
#include <iterator>

namespace sfg::hooks {
namespace {

constexpr const char* kTops[] = {"file", "link", "other", "missing", "unknown"};
constexpr const char* kFailures[] = {"other", "not-tried", "no-answer", "dead"};

void add(std::string& text, const std::string& word) {
    text += word.substr(0, word.find('\0'));
    text += '\0';
}

}  // namespace

std::string look_to_text(const ChainLook& look) {
    std::string text;
    add(text, kTops[static_cast<int>(look.top)]);
    add(text, kFailures[static_cast<int>(look.failure)]);
    add(text, look.why);
    for (const auto& image : look.unpadded) {
        add(text, image.path);
        add(text, std::to_string(image.size));
        add(text, image.opens ? "opens" : "does-not");
    }
    return text;
}

ChainLook look_from_text(std::string_view text) {
    const auto words = words_of(text);
    ChainLook look;
    look.why = "there was no answer";
    if (words.size() < 3) return look;
    for (std::size_t top = 0; top < std::size(kTops); ++top)
        if (words[0] == kTops[top]) {
            look.top = static_cast<ChainLook::Top>(top);
            look.why = words[2];
        }
    for (std::size_t failure = 0; failure < std::size(kFailures); ++failure)
        if (words[1] == kFailures[failure]) look.failure = static_cast<ChainLook::Failure>(failure);
    for (std::size_t i = 3; i + 2 < words.size(); i += 3) {
        Unpadded image{words[i], 0, words[i + 2] == "opens"};
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
