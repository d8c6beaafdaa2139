// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/qemu_output.hpp"

#include <cerrno>
#include <charconv>

#include "driver/core/log.hpp"

namespace sfg {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        if (!line.empty()) lines.push_back(line);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

}  // namespace

std::optional<double> QemuProgress::feed(std::string_view piece) {
    constexpr std::size_t kLongest = 64;
    rest_ += piece;
    std::optional<double> found;
    while (true) {
        const auto open = rest_.find('(');
        const auto close = rest_.find("/100%)", open == std::string::npos ? 0 : open);
        if (open == std::string::npos || close == std::string::npos) break;
        double percent = 0;
        const char* const last = rest_.data() + close;
        const auto [end, error] = std::from_chars(rest_.data() + open + 1, last, percent);
        if (error == std::errc{} && end == last && percent >= 0 && percent <= 100) found = percent;
        rest_.erase(0, close + 1);
    }
    if (rest_.size() > kLongest) rest_.erase(0, rest_.size() - kLongest);
    return found;
}

std::optional<std::uint64_t> virtual_size(std::string_view info) {
    for (const auto line : lines_of(info)) {
        if (!line.starts_with("virtual size: ")) continue;
        const auto open = line.find('(');
        if (open == std::string_view::npos) return std::nullopt;
        std::uint64_t bytes = 0;
        const auto [end, error] =
            std::from_chars(line.data() + open + 1, line.data() + line.size(), bytes);
        if (error != std::errc{} ||
            !std::string_view(end, static_cast<std::size_t>(line.data() + line.size() - end))
                 .starts_with(" bytes)"))
            return std::nullopt;
        return bytes;
    }
    return std::nullopt;
}

void OutputTail::feed(std::string_view piece) {
    constexpr std::size_t kLongest = 65536;
    text_ += piece;
    if (text_.size() > kLongest) text_.erase(0, text_.size() - kLongest);
}

Error qemu_error(const std::string& doing, const std::string& said,
                 const std::vector<std::pair<std::string, std::string>>& names) {
    constexpr std::size_t kLines = 3;
    std::string text = said;
    // The longest comes first: the text of a chain holds the names of its files.
    for (const auto& [theirs, ours] : names) replace_all(text, theirs, ours);

    const auto lines = lines_of(text);
    std::string sentence;
    for (std::size_t i = lines.size() > kLines ? lines.size() - kLines : 0; i < lines.size(); ++i)
        sentence += (sentence.empty() ? "" : "; ") + escaped(std::string(lines[i]));
    if (sentence.empty()) sentence = "qemu-img failed and did not say why";

    const bool full = said.find("No space left on device") != std::string::npos;
    const bool quota = said.find("Disk quota exceeded") != std::string::npos;
    if (full || quota)
        return Error(ErrorKind::no_space, full ? ENOSPC : EDQUOT, doing + ": " + sentence);
    return Error(ErrorKind::io, doing + ": " + sentence);
}

std::string last_gluster_errors(std::string_view log) {
    constexpr std::size_t kLines = 2;
    std::vector<std::string> found;
    for (const auto line : lines_of(log)) {
        // [2026-11-22 19:00:00.123456 +0000] E [MSGID: 114058] [client.c:1:f] 0-volume-client-0:
        // text
        if (line.find("] E [") == std::string_view::npos) continue;
        const auto place = line.rfind("] 0-");
        std::string text = escaped(std::string(place == std::string_view::npos
                                                   ? line.substr(line.find("] E [") + 2)
                                                   : line.substr(place + 4)));
        if (found.empty() || found.back() != text) found.push_back(std::move(text));
    }
    std::string all;
    for (std::size_t i = found.size() > kLines ? found.size() - kLines : 0; i < found.size(); ++i)
        all += (all.empty() ? "" : "; ") + found[i];
    return all;
}

}  // namespace sfg
