// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>

#include "driver/chains/places.hpp"
#include "driver/core/result.hpp"
#include "driver/pools/file_use.hpp"

namespace sfg {

// Tells of each guest that is active on this host; false where that cannot be told. Called on a
// thread of its own, which holds nothing.
using GuestVisitor = std::function<void(bool paused, const std::string& xml)>;
using GuestLister = std::function<bool(const GuestVisitor& visit)>;
void set_guest_lister(GuestLister lister);

// Sees to it that what is read of `used`, which was opened to be copied, is of one point in time:
// that no guest writes to it meanwhile. By qemu's locks, so over FUSE; qemu over gfapi takes none.
// A guest of this host that is paused may have it open. ErrorKind::busy, with the ways that work;
// but only a line in the log where it `may_be_torn` and the configuration says
// copies-of-running=warn. (Where an image's tables change while they are looked through, nothing
// comes of it.)
Result<void> check_copyable(UsedFile& used, const Place& place, bool may_be_torn,
                            const std::string& who);

}  // namespace sfg
