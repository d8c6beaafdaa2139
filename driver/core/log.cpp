// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/log.hpp"

#include <atomic>
#include <cstdio>
#include <string_view>

#include "driver/core/utf8.hpp"

namespace sfg {
namespace {

void to_standard_error(LogLevel level, const char* message) {
    if (level != LogLevel::debug) std::fprintf(stderr, "sf-gluster: %s\n", message);
}

std::atomic<LogSink> current_sink{&to_standard_error};

}  // namespace

void set_log_sink(LogSink sink) {
    current_sink = sink != nullptr ? sink : &to_standard_error;
}

void log(LogLevel level, const std::string& message) {
    current_sink.load()(level, message.c_str());
}

std::string escaped(const std::string& text) {
    constexpr std::size_t kLongest = 512;
    std::string out;
    std::string_view rest = text;
    while (!rest.empty() && out.size() < kLongest) {
        const int length = utf8_length(rest);
        const auto first = static_cast<unsigned char>(rest.front());
        if (length == 0 || first < 0x20 || first == 0x7f || first == '\\') {
            char hex[5];
            std::snprintf(hex, sizeof(hex), "\\x%02x", first);
            out += hex;
            rest.remove_prefix(1);
        } else {
            out.append(rest.substr(0, static_cast<std::size_t>(length)));
            rest.remove_prefix(static_cast<std::size_t>(length));
        }
    }
    if (!rest.empty()) out += "...";
    return out;
}

}  // namespace sfg
