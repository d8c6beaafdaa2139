// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "driver/core/result.hpp"

namespace sfg::hooks {

// The documents that xml-templates/ has templates for.
enum class Document {
    pool,    // network access: a gluster pool; file access: a netfs pool that mounts the volume
    volume,  // blank, an overlay on a base, or an image that vol-upload fills
    disk,    // of a guest, by network or file access
    domain,  // a guest with its disks
};

// What the options of `sf-gluster template` say, as they were written; "" and empty lists stand for
// options that were not given.
struct TemplateRequest {
    std::string volume;              // of gluster
    std::vector<std::string> hosts;  // host, host:port or [IPv6]:port
    std::string access = "network";  // or file
    std::string mount;               // where the volume is mounted, for file access
    std::string name;                // of the pool or the guest
    std::vector<std::string> paths;  // of images: names in the pool, which is the volume's root
    std::string format = "qcow2";    // or raw
    std::string size;                // "8G"; of an overlay that of its base where not given
    std::string base;
    std::string base_format = "qcow2";
    bool for_upload = false;
    std::string target = "vda";
    std::string memory = "1G";
    std::string cpus = "1";
    std::string uuid;
    std::string type = "kvm";
};

// The text of a file of xml-templates/.
using ReadTemplate = std::function<Result<std::string>(const std::string& file)>;

// The whole document. A guest without paths has instances/<uuid>/vda and vdb, as Shaken Fist lays
// them out.
//
// ErrorKind::invalid names the option that is missing or cannot be right; others are of the
// templates.
Result<std::string> make_document(Document document, const TemplateRequest& request,
                                  const ReadTemplate& read);

}  // namespace sfg::hooks
