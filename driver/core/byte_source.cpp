// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/byte_source.hpp"

#include <cerrno>

namespace sfg {

Result<std::optional<Extent>> ByteSource::find_data(std::uint64_t /*from*/) {
    return Error(ErrorKind::unsupported, EOPNOTSUPP, "the storage does not tell where holes are");
}

Result<void> ByteSource::discard(std::uint64_t /*offset*/, std::uint64_t /*length*/) {
    return Error(ErrorKind::unsupported, EOPNOTSUPP, "the storage does not take space back");
}

}  // namespace sfg
