// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/images/recorded_gluster.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

namespace sfg {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Percent-decoded, up to a NUL: that is where C programs see the end (util/uri.c of qemu 7.2,
// uri_string_unescape; GLib's parser, which qemu has since 9.0, refuses it). `strange` becomes true
// for what is not well-formed.
std::string decoded(std::string_view text, bool& strange) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                strange = true;
            } else {
                c = static_cast<char>(high * 16 + low);
                i += 2;
            }
        }
        if (c == '\0') {
            strange = true;
            break;
        }
        out += c;
    }
    return out;
}

// The part of `text` before the first of `ends`, which is taken off it.
std::string_view take_until(std::string_view& text, std::string_view ends) {
    const std::string_view part = text.substr(0, text.find_first_of(ends));
    text.remove_prefix(part.size());
    return part;
}

struct Authority {
    std::optional<Server> server;  // nothing: none is named
    bool strange = false;
};

// [userinfo@]host[:port]; nothing where it does not show where it ends.
std::optional<Authority> read_authority(std::string_view text) {
    Authority authority;
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
        authority.strange = true;  // libvirt does not use a base with a password in its name
        text.remove_prefix(at + 1);
    }
    std::string_view port;
    std::string_view host = text;
    if (text.starts_with('[')) {
        // qemu 7.2 looks for the ']' behind a '/' as well, and has another path then.
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host = text.substr(1, end - 1);
        port = text.substr(end + 1);
    } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon);
    }
    Server server{decoded(host, authority.strange), 0};
    if (!port.empty()) {
        const char* const end = port.data() + port.size();
        const auto [stop, error] = std::from_chars(port.data() + 1, end, server.port);
        if (port[0] != ':' || error != std::errc() || stop != end || server.port < 0 ||
            server.port > 65535) {
            server.port = 0;
            authority.strange = true;
        }
    }
    if (!server.host.empty())
        authority.server = std::move(server);
    else if (server.port != 0)
        authority.strange = true;
    return authority;
}

// "socket=/path" alone, the one query that qemu takes (qemu_gluster_parse_uri).
std::optional<Server> read_socket(std::string_view query, bool& strange) {
    constexpr std::string_view kName = "socket=";
    if (!query.starts_with(kName)) return std::nullopt;
    query.remove_prefix(kName.size());
    Server server;
    server.socket = decoded(query.substr(0, query.find_first_of("&;")), strange);
    if (server.socket.empty() || query.find_first_of("&;") != std::string_view::npos)
        strange = true;
    if (server.socket.empty()) return std::nullopt;
    return server;
}

bool is_scheme_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '.';
}

}  // namespace

RecordedGluster read_gluster_uri(std::string_view uri, std::string_view transport) {
    RecordedGluster read;
    bool strange = transport != "tcp" && transport != "unix" && transport != "rdma";

    // RFC 3986: [//authority] path [?query] [#fragment]; qemu and libvirt pass over the last.
    Authority authority;
    if (uri.starts_with("//")) {
        uri.remove_prefix(2);
        const auto found = read_authority(take_until(uri, "/?#"));
        if (!found) return read;
        authority = *found;
    }
    strange = strange || authority.strange;
    // Decoded before it is taken apart, so that %2F is a slash like others.
    const std::string whole = decoded(take_until(uri, "?#"), strange);
    std::string_view query;
    if (uri.starts_with('?')) query = uri.substr(1, uri.find('#') - 1);

    // qemu's parse_volume_options: slashes, the volume, slashes, the path.
    const auto volume = std::min(whole.find_first_not_of('/'), whole.size());
    const auto volume_end = std::min(whole.find('/', volume), whole.size());

    std::vector<Server> servers;
    if (transport == "unix") {
        if (const auto socket = read_socket(query, strange))
            servers.push_back(*socket);
        else
            strange = true;
        if (authority.server) strange = true;
    } else {
        if (authority.server) servers.push_back(*authority.server);
        if (!query.empty()) strange = true;
    }
    read.file = file_of_gluster(whole.substr(volume, volume_end - volume), whole.substr(volume_end),
                                std::move(servers));
    read.plain = !strange && read.file.kind == NamedFile::Kind::gluster && !read.file.path.empty();
    return read;
}

RecordedGluster read_gluster_filename(std::string_view filename) {
    std::size_t scheme = 0;
    while (scheme < filename.size() && is_scheme_character(filename[scheme])) ++scheme;
    if (scheme == filename.size() || filename[scheme] != ':') {
        // util/uri.c tries a relative reference, and block/gluster.c of qemu 7.2 is content with
        // no scheme.
        RecordedGluster read = read_gluster_uri(filename, "tcp");
        read.plain = false;
        return read;
    }
    std::string name(filename.substr(0, scheme));
    bool lower = true;
    for (char& c : name) {
        if (c < 'A' || c > 'Z') continue;
        c = static_cast<char>(c - 'A' + 'a');  // GLib's parser does so
        lower = false;
    }
    if (name != "gluster" && !name.starts_with("gluster+")) return {};
    RecordedGluster read =
        read_gluster_uri(filename.substr(scheme + 1), name == "gluster" ? "tcp" : name.substr(8));
    read.plain = read.plain && lower;
    return read;
}

std::string path_at_end_of_uri(std::string_view text) {
    bool strange = false;
    return decoded(take_until(text, "?#"), strange);
}

}  // namespace sfg
