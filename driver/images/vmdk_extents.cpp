// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/images/vmdk_extents.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>

namespace sfg {
namespace {

constexpr std::size_t kLongestDescriptor = (1 << 20) - 1;  // vmdk_read_desc
constexpr std::size_t kLongestName = 511;                  // vmdk_parse_extents
constexpr std::size_t kMostNames = 512;                    // 1 TB in pieces of 2 GB
constexpr std::size_t kMostBytes = 16384;  // of names: they are kept as long as the image

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// vmdk_probe: comments and empty lines, and then "version=1" or another one.
bool is_descriptor(std::string_view text) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        if (!line.starts_with('#') && line.find_first_not_of(" \r") != std::string_view::npos)
            return line.starts_with("version=");
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return false;
}

// Line ends are among it: for sscanf an extent may stand on several lines.
constexpr std::string_view kSpace = " \t\n\v\f\r";

// What sscanf takes of a text.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    // "%10s"
    std::string_view word() {
        skip_space();
        return take(std::min<std::size_t>(text_.substr(0, 10).find_first_of(kSpace), 10));
    }

    // "%d"
    bool number() {
        skip_space();
        if (text_.starts_with('-') || text_.starts_with('+')) text_.remove_prefix(1);
        return !take(text_.find_first_not_of("0123456789")).empty();
    }

    // " \"%511[^\n\r\"]"
    std::optional<std::string_view> quoted() {
        skip_space();
        if (!text_.starts_with('"')) return std::nullopt;
        text_.remove_prefix(1);
        const std::string_view name =
            take(std::min(text_.substr(0, kLongestName).find_first_of("\n\r\""), kLongestName));
        if (name.empty()) return std::nullopt;
        return name;
    }

  private:
    std::string_view take(std::size_t length) {
        const std::string_view part = text_.substr(0, length);
        text_.remove_prefix(part.size());
        return part;
    }

    void skip_space() { take(std::min(text_.find_first_not_of(kSpace), text_.size())); }

    std::string_view text_;
};

// RW 4192256 FLAT "x-flat.vmdk" 0
std::optional<std::string_view> extent_of(std::string_view text) {
    Scanner scanner(text);
    const std::string_view access = scanner.word();
    if ((access != "RW" && access != "RDONLY") || !scanner.number()) return std::nullopt;
    if (scanner.word().empty()) return std::nullopt;  // FLAT, SPARSE, VMFS and others
    return scanner.quoted();
}

std::vector<std::string> names_in(std::string_view text) {
    text = text.substr(0, text.find('\0'));
    std::vector<std::string> names;
    std::unordered_set<std::string_view> known;
    std::size_t bytes = 0;
    // False when there is no room for more.
    auto add = [&](std::string_view name) {
        if (names.size() == kMostNames || bytes + name.size() > kMostBytes) {
            names.emplace_back();
            return false;
        }
        bytes += name.size();
        if (known.insert(name).second) names.emplace_back(name);
        return true;
    };
    // vmdk_parent_open
    constexpr std::string_view kParent = "parentFileNameHint=\"";
    if (const auto at = text.find(kParent); at != std::string_view::npos) {
        const std::string_view rest = text.substr(at + kParent.size());
        const std::string_view name = rest.substr(0, rest.find('"'));
        if (!name.empty()) add(name.substr(0, 1023));
    }
    // Where a line begins; all empty ones at once, or a megabyte of them would be passed over from
    // each.
    for (std::size_t at = 0; (at = text.find_first_not_of(kSpace, at)) != std::string_view::npos;) {
        if (const auto name = extent_of(text.substr(at)); name && !add(*name)) break;
        at = std::min(text.find('\n', at), text.size());
    }
    return names;
}

std::uint64_t little_endian(std::span<const std::byte> bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 8; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    return value;
}

}  // namespace

std::vector<std::string> vmdk_extents(
    std::span<const std::byte> start_of_file,
    const std::function<Result<std::size_t>(std::uint64_t, std::span<std::byte>)>& read_more) {
    std::uint64_t offset = 0;
    // VMDK4Header: capacity at 12, desc_offset in sectors at 28. With a capacity the file has its
    // data in itself (vmdk_open_vmdk4).
    if (text_of(start_of_file).starts_with("KDMV")) {
        if (start_of_file.size() < 36 || little_endian(start_of_file.subspan(12)) != 0) return {};
        offset = little_endian(start_of_file.subspan(28));
        if (offset == 0 || offset > (std::uint64_t{1} << 40)) return {};
        offset *= 512;
    } else if (!is_descriptor(text_of(start_of_file))) {
        return {};
    }
    std::vector<std::byte> whole(kLongestDescriptor);
    auto length = read_more(offset, whole);
    if (!length) return {""};
    return names_in(text_of(std::span(whole).first(std::min(*length, whole.size()))));
}

}  // namespace sfg
