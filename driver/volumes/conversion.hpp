// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/chains/chain.hpp"
#include "driver/core/result.hpp"
#include "driver/pools/temporaries.hpp"
#include "driver/transfer/progress.hpp"
#include "driver/volumes/create.hpp"
#include "driver/volumes/gate.hpp"

namespace sfg {

// Converts what `chain` shows (the top image first) into the temporary file of the volume that is
// to stand at `path` from the volume's root. With `base` the temporary is a new qcow2 image on that
// base already; without, it is empty and becomes what `request` asks for, but of the source's
// capacity. Errors as for convert_image and walk_chain.
Result<void> convert_chain(const std::vector<ChainImage>& chain, const OpenPool& pool,
                           Temporary& temporary, const std::string& path,
                           const VolumeRequest& request, const std::optional<Base>& base,
                           Progress& progress);

}  // namespace sfg
