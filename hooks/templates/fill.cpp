// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/templates/fill.hpp"

#include <algorithm>

#include "driver/core/utf8.hpp"

namespace sfg::hooks {
namespace {

constexpr std::string_view kBlanks = " \t";

// A line is text and placeholders in turn: what stands before a placeholder, and its name; the
// last part has no name.
struct Part {
    std::string_view before;
    std::string_view name;
};

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

std::vector<Part> parts_of(std::string_view line) {
    std::vector<Part> parts;
    std::size_t start = 0, at = line.find('@');
    while (at != std::string_view::npos) {
        const auto end = line.find('@', at + 1);
        if (end == std::string_view::npos) break;
        const auto name = line.substr(at + 1, end - at - 1);
        if (!is_name(name)) {
            at = end;  // an '@' of its own; the next may begin a placeholder
            continue;
        }
        parts.push_back({line.substr(start, at - start), name});
        start = end + 1;
        at = line.find('@', start);
    }
    parts.push_back({line.substr(start), {}});
    return parts;
}

std::string placeholder(std::string_view name) {
    return "@" + std::string(name) + "@";
}

std::string with_entities(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '\'':
                escaped += "&apos;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            default:
                escaped += c;
        }
    }
    return escaped;
}

// The next line of `text` with its line break, taken off it.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    const auto length = end == std::string_view::npos ? text.size() : end + 1;
    const auto line = text.substr(0, length);
    text.remove_prefix(length);
    return line;
}

// The values of the document whose placeholder stands on this line, if one does.
Result<const std::vector<std::string>*> document_on(const std::vector<Part>& parts,
                                                    const Values& values) {
    for (const auto& part : parts) {
        const auto found = values.documents.find(part.name);
        if (found == values.documents.end()) continue;
        if (parts.size() != 2 ||
            parts[0].before.find_first_not_of(kBlanks) != std::string_view::npos ||
            parts[1].before.find_first_not_of(" \t\r\n") != std::string_view::npos)
            return Error(ErrorKind::corrupt, placeholder(part.name) + " needs a line of its own");
        return &found->second;
    }
    return nullptr;
}

std::string indented(std::string_view document, std::string_view indentation) {
    std::string text;
    while (!document.empty()) {
        const auto line = take_line(document);
        if (line != "\n") text += indentation;
        text += line;
    }
    if (!text.empty() && text.back() != '\n') text += '\n';
    return text;
}

// How often a line stands in the result.
Result<std::size_t> repetitions(const std::vector<Part>& parts, const Values& values) {
    std::size_t count = 1;
    std::string_view leading;  // the placeholder that `count` is of
    for (const auto& part : parts) {
        if (part.name.empty()) continue;
        const auto found = values.texts.find(part.name);
        if (found == values.texts.end())
            return Error(ErrorKind::corrupt, "nothing is known of " + placeholder(part.name));
        for (const auto& value : found->second)
            if (!is_value(value))
                return Error(ErrorKind::invalid, "the value of " + placeholder(part.name) +
                                                     " has characters that may not be in it");
        const std::size_t here = found->second.size();
        if (leading.empty() || (count == 1 && here > 1)) {
            count = here;
            leading = part.name;
        } else if (here != count && !(here == 1 && count > 1)) {
            return Error(ErrorKind::corrupt,
                         placeholder(leading) + " and " + placeholder(part.name) +
                             " stand on one line with " + std::to_string(count) + " and " +
                             std::to_string(here) + " values");
        }
    }
    return count;
}

}  // namespace

bool is_value(std::string_view text) {
    if (!is_utf8(text)) return false;
    if (text.find("\xEF\xBF\xBE") != std::string_view::npos ||
        text.find("\xEF\xBF\xBF") != std::string_view::npos)
        return false;
    return std::none_of(text.begin(), text.end(),
                        [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

Result<std::string> fill(std::string_view text, const Values& values) {
    std::string filled;
    while (!text.empty()) {
        const auto parts = parts_of(take_line(text));
        SFG_TRY_ASSIGN(const auto* documents, document_on(parts, values));
        if (documents != nullptr) {
            for (const auto& document : *documents) filled += indented(document, parts[0].before);
            continue;
        }
        SFG_TRY_ASSIGN(const std::size_t count, repetitions(parts, values));
        for (std::size_t i = 0; i < count; ++i) {
            for (const auto& part : parts) {
                filled += part.before;
                if (part.name.empty()) continue;
                const auto& all = values.texts.find(part.name)->second;
                filled += with_entities(all[all.size() == 1 ? 0 : i]);
            }
        }
    }
    return filled;
}

}  // namespace sfg::hooks
