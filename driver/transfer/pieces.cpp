// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/pieces.hpp"

#include <algorithm>

namespace sfg {

Result<std::optional<Extent>> Pieces::next() {
    const std::lock_guard held(mutex_);
    if (at_ >= data_end_) SFG_TRY(find_more());
    if (at_ >= end_) return std::optional<Extent>();
    // Pieces begin at multiples of the unit, as blocks of bricks and shards do.
    const std::uint64_t boundary = (at_ / kTransferUnit + 1) * kTransferUnit;
    const Extent piece{at_, std::min(boundary, data_end_) - at_};
    at_ = piece.end();
    return std::optional(piece);
}

Result<void> Pieces::find_more() {
    if (at_ >= end_) return {};
    if (knows_holes_) {
        const auto found = file_.find_data(at_);
        if (found) {
            at_ = *found ? std::min((*found)->offset, end_) : end_;
            data_end_ = *found ? std::min((*found)->end(), end_) : end_;
            return {};
        }
        if (found.error().kind() != ErrorKind::unsupported) return found.error();
        knows_holes_ = false;
    }
    data_end_ = end_;
    return {};
}

}  // namespace sfg
