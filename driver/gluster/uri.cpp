// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/uri.hpp"

#include <libxml/uri.h>
#include <libxml/xmlmemory.h>

#include <memory>

namespace sfg {
namespace {

using XmlUri = std::unique_ptr<xmlURI, decltype(&xmlFreeURI)>;

std::string text_of(const char* field) {
    return field != nullptr ? field : "";
}

// The value of the query's socket= parameter, percent-decoded.
std::string socket_of(const char* query) {
    std::string_view rest = query != nullptr ? query : "";
    while (!rest.empty()) {
        const auto end = rest.find_first_of("&;");
        const std::string_view pair = rest.substr(0, end);
        if (pair.starts_with("socket=")) {
            const std::string value(pair.substr(7));
            std::unique_ptr<char, decltype(xmlFree)> plain(
                xmlURIUnescapeString(value.c_str(), 0, nullptr), xmlFree);
            return text_of(plain.get());
        }
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    return "";
}

}  // namespace

bool is_gluster_uri(std::string_view text) {
    return text.starts_with("gluster://") || text.starts_with("gluster+");
}

Result<GlusterUri> parse_gluster_uri(const std::string& text) {
    const Error malformed(ErrorKind::invalid,
                          "'" + text + "' is not a gluster URI (gluster://host/volume/path)");
    XmlUri parsed(xmlParseURI(text.c_str()), &xmlFreeURI);
    if (!parsed || parsed->scheme == nullptr || parsed->path == nullptr) return malformed;

    GlusterUri uri;
    const std::string_view scheme = parsed->scheme;
    if (scheme == "gluster+tcp" || scheme == "gluster")
        uri.transport = "tcp";
    else if (scheme == "gluster+unix")
        uri.transport = "unix";
    else if (scheme == "gluster+rdma")
        uri.transport = "rdma";
    else
        return malformed;

    uri.host = text_of(parsed->server);
    if (uri.host.starts_with('[') && uri.host.ends_with(']'))
        uri.host = uri.host.substr(1, uri.host.size() - 2);
    uri.port = parsed->port > 0 ? parsed->port : 0;  // libxml2 2.9 says 0, later ones -1 for none
    uri.socket = socket_of(parsed->query_raw);
    if (uri.transport == "unix" ? uri.socket.empty() : uri.host.empty()) return malformed;

    const std::string_view path = parsed->path;
    if (!path.starts_with('/')) return malformed;
    const auto slash = path.find('/', 1);
    uri.volume = path.substr(1, slash == std::string_view::npos ? slash : slash - 1);
    uri.path = slash == std::string_view::npos ? "/" : path.substr(slash);
    if (uri.volume.empty()) return malformed;
    return uri;
}

std::string escaped_uri_path(const std::string& path) {
    constexpr std::string_view kPlain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";
    // Most names: thousands of them at a refresh.
    if (path.find_first_not_of(kPlain) == std::string::npos) return path;
    // Through xmlSaveUri itself, so that all come out alike.
    XmlUri fields(xmlCreateURI(), &xmlFreeURI);
    if (!fields) return path;
    const std::string absolute = "/" + path;
    fields->path =
        reinterpret_cast<char*>(xmlStrdup(reinterpret_cast<const xmlChar*>(absolute.c_str())));
    const std::unique_ptr<xmlChar, decltype(xmlFree)> text(xmlSaveUri(fields.get()), xmlFree);
    return text ? reinterpret_cast<const char*>(text.get()) + 1 : path;
}

std::string format_gluster_uri(const GlusterUri& uri) {
    std::string scheme = uri.transport == "tcp" ? "gluster" : "gluster+" + uri.transport;
    std::string server = uri.host.find(':') != std::string::npos ? "[" + uri.host + "]" : uri.host;
    std::string path = "/" + uri.volume + uri.path;
    std::string query = uri.socket.empty() ? "" : "socket=" + uri.socket;

    XmlUri fields(xmlCreateURI(), &xmlFreeURI);
    if (!fields) return "";
    auto copy = [](const std::string& text) {
        return reinterpret_cast<char*>(xmlStrdup(reinterpret_cast<const xmlChar*>(text.c_str())));
    };
    fields->scheme = copy(scheme);
    fields->server = copy(server);
    fields->port = uri.port;
    fields->path = copy(path);
    if (!query.empty()) fields->query = copy(query);
    std::unique_ptr<xmlChar, decltype(xmlFree)> text(xmlSaveUri(fields.get()), xmlFree);
    return text ? reinterpret_cast<const char*>(text.get()) : "";
}

}  // namespace sfg
