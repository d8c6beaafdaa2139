// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "driver/core/result.hpp"
#include "driver/pools/pool.hpp"
#include "driver/transfer/transfer.hpp"

namespace sfg {

// What part of a volume.
struct TransferRange {
    std::uint64_t offset = 0;  // bytes
    std::uint64_t length = 0;  // bytes; 0: to the end
};

// A download may run beside others and while overlays are made. With `sparse` next_section() tells
// holes where they can be found; without it they are data.
Result<std::shared_ptr<Transfer>> begin_download(const OpenPool& pool, const std::string& name,
                                                 const TransferRange& range, bool sparse);

// An upload overwrites what the volume holds from `offset` on and grows it when it must; what is
// behind the uploaded bytes stays. ErrorKind::busy for a volume that is in use or that is the base
// of another.
Result<std::shared_ptr<Transfer>> begin_upload(const OpenPool& pool, const std::string& name,
                                               const TransferRange& range);

}  // namespace sfg
