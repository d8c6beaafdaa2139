// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/images/node_options.hpp"
#include "driver/images/recorded_name.hpp"

namespace sfg {

// Adds to `into` what opening the block node of json:{...} opens, every leaf of it, and sets
// `plain` and `format`. `depth` counts the names within names that lead here.
void read_node(const NodeOptions& root, int depth, RecordedName& into);

// Adds what qemu opens when it is given `name` itself: one that begins with no protocol and no '/'
// is looked for in the working directory. Defined in recorded_name.cpp.
void read_opened_name(const std::string& name, int depth, RecordedName& into);

}  // namespace sfg
