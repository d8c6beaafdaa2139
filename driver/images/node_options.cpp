// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/images/node_options.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "driver/core/utf8.hpp"

namespace sfg {
namespace {

// libvirt writes five levels and ten members.
constexpr int kDeepest = 32;
constexpr int kMostValues = 4096;

void append_utf8(std::string& out, unsigned code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
        return;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static constexpr unsigned kLead[] = {0, 0xc0, 0xe0, 0xf0};
    out += static_cast<char>(kLead[more] | (code >> (6 * more)));
    for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3f));
}

// Each function is false, or nothing, where the text is not what it should be; nothing is read
// after that.
class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    bool parse(NodeOptions& root) {
        skip_space();
        if (peek() != '{') return false;
        if (!parse_value(root, 0)) return false;
        skip_space();
        return at_ == text_.size() && !root.members.empty();
    }

  private:
    // '\0' behind the end; a NUL is allowed nowhere.
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    bool take(char c) {
        skip_space();
        if (peek() != c) return false;
        ++at_;
        return true;
    }

    void skip_space() {
        while (at_ < text_.size() &&
               std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
            ++at_;
    }

    bool parse_value(NodeOptions& into, int depth) {
        if (depth > kDeepest || ++values_ > kMostValues) return false;
        skip_space();
        switch (peek()) {
            case '{':
                return parse_object(into, depth);
            case '[':
                return parse_array(into, depth);
            case '"':
            case '\'':
                return parse_text(into);
            default:
                return parse_word(into);
        }
    }

    bool parse_object(NodeOptions& into, int depth) {
        if (!begin_group(into)) return false;
        std::set<std::string> keys;
        ++at_;
        if (take('}')) return end_group(into);
        do {
            skip_space();
            auto key = parse_string();
            if (!key || !take(':')) return false;
            if (!keys.insert(*key).second) return false;
            if (!parse_member(into, *key, depth)) return false;
        } while (take(','));
        return take('}');
    }

    bool parse_array(NodeOptions& into, int depth) {
        if (!begin_group(into)) return false;
        ++at_;
        if (take(']')) return end_group(into);
        int index = 0;
        do {
            if (!parse_member(into, std::to_string(index++), depth)) return false;
        } while (take(','));
        return take(']');
    }

    // A dotted key is a path to a member, which other keys may have begun.
    bool parse_member(NodeOptions& into, std::string_view key, int depth) {
        NodeOptions* at = &into;
        while (true) {
            const auto dot = key.find('.');
            const std::string_view name = key.substr(0, dot);
            if (name.empty() || ++depth > kDeepest || ++values_ > kMostValues) return false;
            const auto [member, is_new] = at->members.try_emplace(std::string(name));
            at = &member->second;
            if (!is_new && (at->type != NodeOptions::Type::group || at->members.empty()))
                return false;
            if (dot == std::string_view::npos) return parse_value(*at, depth);
            key.remove_prefix(dot + 1);
        }
    }

    // What other keys have begun may go on with a group only.
    static bool begin_group(NodeOptions& into) { return into.type == NodeOptions::Type::group; }
    static bool end_group(NodeOptions& into) {
        if (!into.members.empty()) return false;
        into.type = NodeOptions::Type::empty;
        return true;
    }

    static bool set(NodeOptions& into, NodeOptions::Type type, std::string text) {
        if (!into.members.empty()) return false;
        into.type = type;
        into.text = std::move(text);
        return true;
    }

    bool parse_text(NodeOptions& into) {
        auto text = parse_string();
        return text && set(into, NodeOptions::Type::string, *std::move(text));
    }

    // A number, true, false or null; numbers are not looked at closely.
    bool parse_word(NodeOptions& into) {
        const auto end = std::min(
            text_.find_first_not_of("+-.0123456789Eabcdefghijklmnopqrstuvwxyz", at_), text_.size());
        std::string word(text_.substr(at_, end - at_));
        at_ = end;
        if (word == "null") return set(into, NodeOptions::Type::null, "");
        if (word == "true" || word == "false")
            return set(into, NodeOptions::Type::boolean, std::move(word));
        const bool number = !word.empty() &&
                            word.find_first_not_of("+-.0123456789eE") == std::string::npos &&
                            (word[0] == '-' || (word[0] >= '0' && word[0] <= '9'));
        return number && set(into, NodeOptions::Type::number, std::move(word));
    }

    std::optional<std::string> parse_string() {
        const char quote = peek();
        if (quote != '"' && quote != '\'') return std::nullopt;
        ++at_;
        std::string out;
        while (true) {
            if (at_ >= text_.size()) return std::nullopt;
            const char c = text_[at_++];
            if (c == quote) break;
            if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
            if (c != '\\')
                out += c;
            else if (!parse_escape(out))
                return std::nullopt;
        }
        if (!is_utf8(out) || out.find('\0') != std::string::npos) return std::nullopt;
        return out;
    }

    bool parse_escape(std::string& out) {
        static constexpr std::string_view kEscapes = "\"'\\/bfnrt";
        static constexpr std::string_view kMeanings = "\"'\\/\b\f\n\r\t";
        if (at_ >= text_.size()) return false;
        const char c = text_[at_++];
        if (const auto known = kEscapes.find(c); known != std::string_view::npos) {
            out += kMeanings[known];
            return true;
        }
        if (c != 'u') return false;
        auto code = parse_hex();
        if (!code) return false;
        if (*code >= 0xd800 && *code <= 0xdfff) {
            if (*code > 0xdbff || !text_.substr(at_).starts_with("\\u")) return false;
            at_ += 2;
            const auto low = parse_hex();
            if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
            code = 0x10000 + ((*code & 0x3ff) << 10) + (*low & 0x3ff);
        }
        append_utf8(out, *code);
        return true;
    }

    std::optional<unsigned> parse_hex() {
        unsigned code = 0;
        for (int i = 0; i < 4; ++i) {
            static constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
            const auto digit =
                at_ < text_.size() ? kDigits.find(text_[at_++]) : std::string_view::npos;
            if (digit == std::string_view::npos) return std::nullopt;
            code = code * 16 + static_cast<unsigned>(digit < 16 ? digit : digit - 6);
        }
        return code;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int values_ = 0;
};

}  // namespace

const NodeOptions* NodeOptions::find(std::string_view name) const {
    const auto member = members.find(name);
    return member == members.end() ? nullptr : &member->second;
}

std::optional<std::string> NodeOptions::string(std::string_view name) const {
    const NodeOptions* member = find(name);
    if (member == nullptr || member->type != Type::string) return std::nullopt;
    return member->text;
}

std::optional<NodeOptions> parse_node_options(std::string_view json) {
    NodeOptions root;
    if (!Parser(json).parse(root)) return std::nullopt;
    return root;
}

}  // namespace sfg
