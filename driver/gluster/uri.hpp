// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"

namespace sfg {

// gluster[+tcp|+unix|+rdma]://[host[:port]]/volume/path[?socket=...], the form that qemu's
// block/gluster.c and libvirt's stock backend write.
struct GlusterUri {
    std::string transport = "tcp";
    std::string host;    // without the brackets of an IPv6 address
    int port = 0;        // 0: not given
    std::string volume;  // no '/'
    std::string path;    // inside the volume, begins with '/', not percent-encoded
    std::string socket;  // unix transport only

    Server server() const { return {host, port, socket}; }
};

// Does `text` claim to be a gluster URI?
bool is_gluster_uri(std::string_view text);

// ErrorKind::invalid where `text` is not such a URI. The path is not normalised.
Result<GlusterUri> parse_gluster_uri(const std::string& text);

// The text with percent-encoding as libxml2 (and so libvirt's virURIFormat) does it.
std::string format_gluster_uri(const GlusterUri& uri);

// The path's part of such a text: what follows "gluster://host/volume/".
std::string escaped_uri_path(const std::string& path);

}  // namespace sfg
