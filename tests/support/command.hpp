// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace sfg::test {

// How a program ended and what it said.
struct Ran {
    int status = -1;     // exit status; -1 for a signal, or when it did not end in time
    std::string output;  // standard output and standard error as they came

    bool ok() const { return status == 0; }
};

// Runs a program to its end, or ends it and all that it started after `limit`. Standard input is
// empty.
Ran run(const std::vector<std::string>& words,
        std::chrono::seconds limit = std::chrono::seconds(120));

// The same with a shell's command line.
Ran shell(const std::string& command, std::chrono::seconds limit = std::chrono::seconds(120));

// `text` as one word for a shell.
std::string quoted(const std::string& text);

// The command line `create` of a qemu-img that makes an image with LUKS, again and again until it
// works, a hundred times at most; prints what the last said. Where the kernel's clock of a thread's
// time is coarser than the first measurement is long, qemu 7.2.14 and later give up choosing how
// often to iterate for the key ("Unable to get accurate CPU usage", crypto/pbkdf.c): here about
// every other time.
std::string luks_command(const std::string& create);

}  // namespace sfg::test
