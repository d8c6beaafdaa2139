// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "driver/core/result.hpp"

namespace sfg {

// The files that a VMDK whose first bytes are `start_of_file` says its data is in: its extents and
// its parent, where it is a descriptor (a text), or holds one and no data. Names as recorded; ""
// stands for more than can be looked at. Empty for what is no such image.
//
// libvirt calls a descriptor raw, qemu probes it as vmdk (block/vmdk.c, vmdk_probe).
std::vector<std::string> vmdk_extents(
    std::span<const std::byte> start_of_file,
    const std::function<Result<std::size_t>(std::uint64_t, std::span<std::byte>)>& read_more);

}  // namespace sfg
