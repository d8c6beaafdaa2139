// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "driver/qcow2/create.hpp"
#include "driver/qcow2/geometry.hpp"

namespace sfg::qcow2 {

// How many bytes of the first cluster the header of such an image takes, with its extensions and
// the name of the base behind them. May be more than a cluster; check_options() refuses that.
std::uint64_t encoded_header_size(const CreateOptions& options);

// These bytes. The options must have passed check_options(), and `plan` must be theirs.
std::vector<std::byte> encode_header(const CreateOptions& options, const ImagePlan& plan);

}  // namespace sfg::qcow2
