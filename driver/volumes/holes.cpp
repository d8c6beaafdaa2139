// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/holes.hpp"

#include <algorithm>
#include <vector>

#include "driver/core/zeros.hpp"
#include "driver/volumes/pieces.hpp"

namespace sfg {
namespace {

// gluster's client gives a brick up that does not answer for its ping timeout, and a file system
// may take long to free terabytes of scattered blocks at once.
constexpr std::uint64_t kDiscardStep = std::uint64_t{16} << 30;

}  // namespace

Result<void> overwrite_with_zeros(ByteSource& file, Extent range) {
    const std::vector<std::byte> zeros(kTransferUnit);
    std::vector<std::byte> found;
    Pieces pieces(file, range.offset, range.end());
    while (true) {
        SFG_TRY_ASSIGN(const auto piece, pieces.next());
        if (!piece) return {};
        const auto length = static_cast<std::size_t>(piece->length);
        if (pieces.knows_holes()) {
            SFG_TRY(file.write_at(piece->offset, std::span(zeros).first(length)));
            continue;
        }
        found.resize(length);
        SFG_TRY_ASSIGN(const std::size_t got, file.read_at(piece->offset, found));
        for (const Extent& run : runs_of_data(std::span(found).first(got)))
            SFG_TRY(file.write_at(piece->offset + run.offset,
                                  std::span(zeros).first(static_cast<std::size_t>(run.length))));
    }
}

Result<void> make_hole(ByteSource& file, Extent range) {
    SFG_TRY_ASSIGN(const std::uint64_t size, file.size());
    const std::uint64_t present = std::min(size, range.end());
    for (std::uint64_t at = range.offset; at < present;) {
        const Extent step{at, std::min(kDiscardStep, present - at)};
        auto made = file.discard(step.offset, step.length);
        if (!made && made.error().kind() == ErrorKind::unsupported)
            made = overwrite_with_zeros(file, step);
        if (!made) return made;
        at = step.end();
    }
    if (size < range.end()) SFG_TRY(file.resize(range.end()));
    return {};
}

}  // namespace sfg
