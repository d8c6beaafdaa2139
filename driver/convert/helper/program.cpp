// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/helper/program.hpp"

#include <unistd.h>

#include <cerrno>

namespace sfg {

Result<void> need_program(const std::string& path, const std::string& package) {
    if (access(path.c_str(), X_OK) == 0) return {};
    const int error = errno;
    return Error(ErrorKind::unsupported, error,
                 "converting needs " + path + ", which cannot be run (" + errno_text(error) +
                     "): install the package " + package);
}

}  // namespace sfg
