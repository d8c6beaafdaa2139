// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driver/convert/helper/qemu_img.hpp"
#include "driver/convert/job_text.hpp"

namespace sfg {

// The whole conversion, from mounting to flushing. Runs in a mount and a PID namespace of its own,
// whose end ends all that this leaves behind when it fails.
Result<void> work(const HelperJob& job, const Signs& signs);

}  // namespace sfg
