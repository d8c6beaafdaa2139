// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

#include "driver/convert/convert.hpp"
#include "driver/core/fd.hpp"

namespace sfg {

// A file of the conversion, open. From here on it is reached by this descriptor only.
struct OpenFile {
    Fd fd;
    bool block_device = false;
    bool writing = false;
    std::uint64_t bytes = 0;  // its length
    std::string name;         // for messages

    // Names the open file itself, in this process and in those that inherit the descriptor.
    std::string descriptor_path() const { return "/proc/self/fd/" + std::to_string(fd.get()); }
};

enum class Access { read, read_write };

// A file of this host: the one that was handed over, or else that of the path, whose last component
// is not followed if it is a link.
Result<OpenFile> open_local(const ConvertFile& file, Access access);

// A file below `root`, a mounted gluster volume: no link on the way, and it must have the gfid.
Result<OpenFile> open_in_volume(int root, const ConvertFile& file, Access access);

}  // namespace sfg
