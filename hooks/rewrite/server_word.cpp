// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/server_word.hpp"

#include <charconv>

namespace sfg::hooks {

Result<Server> parse_server(const std::string& word) {
    if (word.starts_with('/')) return Server{"", 0, word};
    Server server{word};
    const auto colon = word.rfind(':');
    const bool bracketed = word.starts_with('[');
    if (bracketed || (colon != std::string::npos && word.find(':') == colon)) {
        const auto host_end = bracketed ? word.find(']') : colon;
        if (host_end == std::string::npos)
            return Error(ErrorKind::invalid, "there is no ']' in '" + word + "'");
        server.host = bracketed ? word.substr(1, host_end - 1) : word.substr(0, colon);
        const std::string rest = word.substr(host_end + (bracketed ? 1 : 0));
        if (!rest.empty()) {
            const char* const end = rest.data() + rest.size();
            const auto [stopped, fault] = std::from_chars(rest.data() + 1, end, server.port);
            if (rest[0] != ':' || fault != std::errc() || stopped != end || server.port < 1 ||
                server.port > 65535)
                return Error(ErrorKind::invalid, "'" + word + "' is not host:port");
        }
    }
    if (server.host.empty()) return Error(ErrorKind::invalid, "'" + word + "' names no host");
    return server;
}

std::string server_word(const Server& server) {
    if (server.is_local()) return server.socket;
    const bool bare_address = server.host.find(':') != std::string::npos;
    const std::string host = bare_address ? "[" + server.host + "]" : server.host;
    return host + ":" + std::to_string(server.port != 0 ? server.port : kGlusterdPort);
}

}  // namespace sfg::hooks
