// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "driver/core/result.hpp"

namespace sfg {

// The [driver] group of /etc/libvirt/sf-gluster.conf (key=value lines, GKeyFile).
struct Settings {
    // connect-timeout (seconds, 1 to 600): how long a caller waits for gluster to connect, and for
    // any sign of life during a refresh.
    std::chrono::milliseconds connect_timeout{10'000};
    // temporary-age (seconds, 0 to one year): a half-made file older than this that nobody works
    // on is removed at a refresh.
    std::chrono::seconds temporary_age{3600};
    // local-base-directories (absolute paths with ';' between them): where on this host bases of
    // images may lie that are read for a conversion. None by default: names of bases come from
    // images, that is from strangers.
    std::vector<std::string> local_base_directories;
    // ignore-images (GLUSTER-VOLUME/path/of/image with ';' between them): images that need no other
    // volume whatever they say, or that nobody can read to say it, so that they keep nothing from
    // being deleted.
    std::vector<std::string> ignore_images;
    // copies-of-running (refuse or warn): what becomes of a copy or a download of an image that a
    // running guest writes to, which is of no one point in time.
    bool copies_of_running = false;
    // trusted-servers (host, host:port or the path of a socket, with ';' between them): gluster
    // servers that an image may name as the place of its base, besides those that pools and guests
    // name.
    std::vector<std::string> trusted_servers;
};

// Those of the file, read at the first call; the defaults, with a line in the log, where the file
// is refused.
const Settings& settings();

// Reads `path`; defaults where there is no such file. Errors: denied for a file that is not
// root's alone to write, invalid for what cannot be read in it.
Result<Settings> read_settings(const std::string& path);

}  // namespace sfg
