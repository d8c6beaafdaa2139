// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "driver/core/result.hpp"

namespace sfg::hooks {

// How a program ended and what it said.
struct Said {
    int status = -1;     // exit status; -1 where a signal ended it
    std::string output;  // standard output, 64 KiB at most
    std::string errors;  // standard error likewise
};

// Runs a program, words[0] its path, to its end with the rights of qemu's user: libvirt-qemu, else
// nobody, where this process is root, else its own. It gets `input` on standard input, no other
// descriptor, an environment of PATH and LC_ALL alone, new privileges by no means (prctl(2),
// PR_SET_NO_NEW_PRIVS), few seconds of processor time, and ends with this process.
//
// ErrorKind::io where it cannot be started or does not end within `limit`; it is killed then, and
// not waited for should that not help.
Result<Said> run_unprivileged(const std::vector<std::string>& words, const std::string& input,
                              std::chrono::milliseconds limit);

}  // namespace sfg::hooks
