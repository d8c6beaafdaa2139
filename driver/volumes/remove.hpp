// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// Deletes a volume or an empty directory that this process listed or made under `name`, and the
// marked parents that this leaves empty.
//
// libvirt also calls this to clean up after a creation that failed, perhaps because another host
// had just made a volume of that name (storage_driver.c, storageVolDeleteInternal). So only the
// file that the Catalogue knows under the name is removed. Where it knows none and the creation
// failed here, there is nothing of ours and the call succeeds without a change. Errors, without a
// change too: busy where another file stands there by now, where somebody uses it (file_use.hpp)
// and where it is the base of other volumes; not_found where it is gone.
Result<void> delete_volume(const OpenPool& pool, const std::string& name);

}  // namespace sfg
