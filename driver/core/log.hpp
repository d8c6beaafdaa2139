// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace sfg {

enum class LogLevel { debug, info, warning, error };

// Takes one line of text, without a newline. Called from any thread.
using LogSink = void (*)(LogLevel level, const char* message);

// Where log lines go from now on: libvirt's log in libvirtd (driver/libvirt sets it), standard
// error until then.
void set_log_sink(LogSink sink);

void log(LogLevel level, const std::string& message);
inline void log_debug(const std::string& message) {
    log(LogLevel::debug, message);
}
inline void log_info(const std::string& message) {
    log(LogLevel::info, message);
}
inline void log_warning(const std::string& message) {
    log(LogLevel::warning, message);
}

// `text` with control characters, backslashes and invalid UTF-8 written as \xNN, and cut where it
// is over-long: for names that strangers chose.
std::string escaped(const std::string& text);

}  // namespace sfg
