// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace sfg::hooks {

// What `work` returns in a child; "" where it has not within `limit`. For work on file systems that
// may hang: a child that does is left to itself, and holds none of our descriptors. Call it in a
// process of one thread only.
std::string in_child(const std::function<std::string()>& work, std::chrono::milliseconds limit);

}  // namespace sfg::hooks
