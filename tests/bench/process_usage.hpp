// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace sfg::bench {

// What a process holds just now, from /proc.
struct ProcessUsage {
    std::size_t resident_bytes = 0;
    std::size_t threads = 0;
    std::size_t descriptors = 0;
};

// Threads that have done their work take a moment to end: waits until two looks a little apart
// agree on threads and descriptors, for two seconds at most.
ProcessUsage settled_usage(pid_t process);

}  // namespace sfg::bench
