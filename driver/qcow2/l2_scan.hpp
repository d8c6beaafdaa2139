// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/qcow2/image.hpp"

namespace sfg::qcow2 {

// The L2 table of an image into a buffer, and its entries.
class L2Table {
  public:
    explicit L2Table(const Geometry& geometry);

    // What the L1 entry points to; all zeros for an entry of 0.
    Result<void> load(Image& image, std::uint64_t l1_entry);

    std::uint64_t entry(std::uint64_t index) const;
    std::uint64_t bitmap(std::uint64_t index) const;  // 0 without extended L2 entries

    // Points an entry to a cluster that is used once; leaves the bitmap.
    void set(std::uint64_t index, std::uint64_t host_offset);

    std::span<const std::byte> bytes() const { return bytes_; }

  private:
    const Geometry& geometry_;
    std::vector<std::byte> bytes_;
};

// Corrupt if two entries point to the same L2 table: who frees or replaces it for one of them takes
// it away from the other.
Result<void> check_l2_tables_differ(const std::vector<std::uint64_t>& l1);

// The first guest cluster from `first` on and before `end` that takes space in the file. `l1` is
// the L1 table from its entry `l1_first` on; the entries before it are not asked for.
Result<std::optional<std::uint64_t>> find_allocated(Image& image,
                                                    const std::vector<std::uint64_t>& l1,
                                                    std::uint64_t l1_first, std::uint64_t first,
                                                    std::uint64_t end);

}  // namespace sfg::qcow2
