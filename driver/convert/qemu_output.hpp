// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/core/error.hpp"

namespace sfg {

// Percentages in what `qemu-img -p` prints: "    (12.34/100%)\r", again and again, in pieces.
class QemuProgress {
  public:
    // Takes the next piece; the last percentage in it that was complete.
    std::optional<double> feed(std::string_view piece);

  private:
    std::string rest_;
};

// The capacity in bytes from what `qemu-img info` prints (its text form: in the JSON form, qemu 8
// puts the sizes of the nodes below before the image's own).
std::optional<std::uint64_t> virtual_size(std::string_view info);

// The end of what a program says, up to 64 KiB: the text of a long chain may stand in it.
class OutputTail {
  public:
    void feed(std::string_view piece);
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

// The sentence for what qemu-img said as it failed: its last lines, escaped, with `names` (first:
// what stands in qemu's words, second: what the user knows it as) put in.
Error qemu_error(const std::string& doing, const std::string& said,
                 const std::vector<std::pair<std::string, std::string>>& names);

// The last errors in a log of glusterfs, without dates and places in its source; empty when there
// are none.
std::string last_gluster_errors(std::string_view log);

}  // namespace sfg
