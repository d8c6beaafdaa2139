// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"

namespace sfg::hooks {

// The program that `path` leads to, without links in it, where only root could have put it there: a
// regular file of root's that is executable and that nobody else may write, and every directory and
// link on the way root's likewise. ErrorKind::denied where it is not, ErrorKind::invalid for a path
// that is not absolute, ErrorKind::not_found where there is nothing.
//
// `root` is the user that counts as root; tests give another.
Result<std::string> trusted_program(const std::string& path, unsigned root = 0);

}  // namespace sfg::hooks
