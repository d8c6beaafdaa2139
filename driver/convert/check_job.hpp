// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driver/convert/convert.hpp"

namespace sfg {

// What can be said against a job without looking at a file: formats that are none or are not
// copied by qemu-img, paths that leave the volume, options that name files.
Result<void> check_job(const ConvertJob& job);

}  // namespace sfg
