// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/holes.hpp"

#include <algorithm>
#include <vector>

#include "driver/core/zeros.hpp"
#include "driver/transfer/pieces.hpp"

namespace sfg {
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
    if (range.offset < present) {
        const Extent data{range.offset, present - range.offset};
        auto made = file.discard(data.offset, data.length);
        if (!made && made.error().kind() == ErrorKind::unsupported)
            made = overwrite_with_zeros(file, data);
        if (!made) return made;
    }
    if (size < range.end()) SFG_TRY(file.resize(range.end()));
    return {};
}

}  // namespace sfg
