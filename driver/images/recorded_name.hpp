// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "driver/images/named_file.hpp"

namespace sfg {

// The name of a base or of a data file, as an image records it, taken apart by the rules of qemu
// (7.2 to 11) and libvirt (7 to 12). The text comes from a stranger. No file system is touched and
// nothing is connected to.
struct RecordedName {
    // Every file that opening the name may open; never empty. Programs differ: what qemu makes of
    // "a%20b" depends on how it opened the image that says so, and both files are here then.
    std::vector<NamedFile> files;
    // Opening the name is opening files.front(), all of it, with no options that change what is
    // read. What follows in `files` is how some other program may understand it.
    bool plain = false;
    // What the name itself says the file is ("qcow2", "raw"; json: only). Where the image records a
    // format beside the name, qemu believes that one (block.c, parse_json_protocol: options that
    // are there already win).
    std::string format;
};

RecordedName read_recorded_name(const std::string& recorded);

// The same of a file that holds an image's data (ImageInfo::data_files): a qcow2's external data
// file or an extent of a VMDK, which programs agree about less. A relative name is relative to the
// image for libvirt and for extents, and to the working directory for qemu's qcow2 driver
// (block/qcow2.c hands it to bdrv_open_child as it is). An extent's name that begins with a
// protocol is mostly put behind the image's directory; qemu without the mend of CVE-2024-4467 takes
// json: in both.
RecordedName read_data_file_name(const std::string& recorded);

// Whether qemu takes the name of an image for "protocol:rest" (block.c, path_has_protocol): a ':'
// before the first '/'.
bool has_protocol(const std::string& name);

}  // namespace sfg
