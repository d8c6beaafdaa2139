// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/report.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

namespace sfg {
namespace {

constexpr std::array<std::pair<ErrorKind, std::string_view>, 11> kKinds = {{
    {ErrorKind::not_found, "not_found"},
    {ErrorKind::pool_missing, "pool_missing"},
    {ErrorKind::exists, "exists"},
    {ErrorKind::invalid, "invalid"},
    {ErrorKind::unsupported, "unsupported"},
    {ErrorKind::corrupt, "corrupt"},
    {ErrorKind::busy, "busy"},
    {ErrorKind::no_space, "no_space"},
    {ErrorKind::denied, "denied"},
    {ErrorKind::not_connected, "not_connected"},
    {ErrorKind::io, "io"},
}};

// Cuts the first word and the space behind it from `line`.
std::string_view next_word(std::string_view& line) {
    const auto space = line.find(' ');
    const auto word = line.substr(0, space);
    line = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1);
    return word;
}

template <typename Number>
bool is_number(std::string_view text, Number& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string progress_line(double percent) {
    char line[64];
    std::snprintf(line, sizeof(line), "progress %.2f\n", percent);
    return line;
}

std::string error_line(const Error& error) {
    std::string_view kind = "io";
    for (const auto& [value, name] : kKinds)
        if (value == error.kind()) kind = name;
    std::string line = "error " + std::string(kind) + ' ' + std::to_string(error.system_errno()) +
                       ' ' + error.message();
    // One line, whatever stands in a name.
    for (char& c : line)
        if (c == '\n' || c == '\r') c = ' ';
    return line + '\n';
}

std::optional<Report> parse_report(std::string_view line) {
    const auto word = next_word(line);
    if (word == "alive" && line.empty()) return Report{Report::What::alive, 0, {}};
    if (word == "done" && line.empty()) return Report{Report::What::done, 0, {}};
    if (word == "progress") {
        double percent = 0;
        if (!is_number(line, percent) || !(percent >= 0 && percent <= 100)) return std::nullopt;
        return Report{Report::What::progress, percent, {}};
    }
    if (word == "error") {
        const auto kind = next_word(line);
        int number = 0;
        if (!is_number(next_word(line), number) || line.empty()) return std::nullopt;
        for (const auto& [value, name] : kKinds)
            if (name == kind)
                return Report{Report::What::error, 0, Error(value, number, std::string(line))};
    }
    return std::nullopt;
}

}  // namespace sfg
