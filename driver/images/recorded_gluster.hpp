// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include "driver/images/named_file.hpp"

namespace sfg {

struct RecordedGluster {
    NamedFile file;
    // Both qemu and libvirt would open it.
    bool plain = false;
};

// `uri` is what follows the scheme and its ':' of a gluster URI of that transport ("tcp"). More is
// understood than qemu and libvirt open: who means a file keeps it.
RecordedGluster read_gluster_uri(std::string_view uri, std::string_view transport);

// The same with the scheme, or without one: the member "filename" of a node with the driver
// gluster, which qemu 7.2 takes in either form. Unknown where it has another scheme.
RecordedGluster read_gluster_filename(std::string_view filename);

// The path of a URI that ends with `text`: without query and fragment, percent-decoded.
std::string path_at_end_of_uri(std::string_view text);

}  // namespace sfg
