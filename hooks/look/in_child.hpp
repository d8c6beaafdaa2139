// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace sfg::hooks {

struct ChildSaid {
    std::optional<std::string> text;  // nothing where the work did not end, or did not begin
    bool timed_out = false;
};

// Does `work` in a child, for `limit` at the most, and returns what it returned. For work on file
// systems that may hang: a child that does is left to itself, and holds none of our descriptors.
// Call it in a process of one thread only.
ChildSaid in_child(const std::function<std::string()>& work, std::chrono::milliseconds limit);

}  // namespace sfg::hooks
