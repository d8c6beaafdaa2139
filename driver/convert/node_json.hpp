// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <span>
#include <string>

namespace sfg {

// One image as qemu is to open it.
struct QemuNode {
    std::string format;    // qemu's driver of the format
    std::string protocol;  // qemu's driver below it: "file", or "host_device" for a block device
    std::string filename;
};

// "json:{...}" for the chain, the top image first. Each node is named, the last one's backing file
// is null, so that qemu takes nothing from the images' headers. qemu locks nothing: the caller
// holds gluster's locks, which qemu's would run into.
std::string qemu_json(std::span<const QemuNode> chain);

// `text` as a JSON string, quotes included. Bytes that are not UTF-8 stay as they are.
std::string json_string(const std::string& text);

}  // namespace sfg
