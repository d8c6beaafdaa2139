// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// Whether libvirt asks for the deletion of what could not be made, once for each creation that
// failed: then there is nothing of ours to remove, whatever stands under the name, since that may
// be why it failed (storage_driver.c, storageVolCreateXMLFrom).
bool was_never_made(const Pool& pool, const std::string& name);

// Deletes the volume or the empty directory that this pool listed or made under `name`, and the
// marked parents that this leaves empty. Errors, without a change: busy where another file stands
// there than the one that was listed, where somebody uses it (file_use.hpp) and where it is the
// base of other volumes; not_connected where a brick is away that may have such a volume, or this
// one; not_found where it is gone.
Result<void> delete_volume(const OpenPool& pool, const std::string& name);

}  // namespace sfg
