// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "driver/core/error.hpp"

namespace sfg {

// What the helper says to the library, a line each:
//
//     progress 42.5          percent
//     alive                  something moved
//     error KIND ERRNO TEXT  the end: it failed
//     done                   the end: it is converted, flushed and checked
struct Report {
    enum class What { progress, alive, error, done };
    What what;
    double percent = 0;          // with progress
    std::optional<Error> error;  // with error
};

// Each with its newline.
std::string progress_line(double percent);
std::string error_line(const Error& error);
inline constexpr char kAliveLine[] = "alive\n";
inline constexpr char kDoneLine[] = "done\n";

// Of a line without its newline; nothing for what is none of the above.
std::optional<Report> parse_report(std::string_view line);

}  // namespace sfg
