// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>

#include "tests/bench/process_usage.hpp"
#include "tests/support/libvirt_client.hpp"

namespace sfg::bench {

// What libvirtd held after the first tenth of the rounds and after the last.
struct Growth {
    ProcessUsage early;
    ProcessUsage late;

    // Negative where something was given back.
    long long resident() const;  // bytes
    long long threads() const;
    long long descriptors() const;
};

// Calls `round` with 0, 1, 2...; what is refused in one is thrown by it.
Growth measure_growth(pid_t libvirtd, int rounds, const std::function<void(int)>& round);

// Rounds: a volume is created and deleted, and the pool refreshed.
std::function<void(int)> volumes_come_and_go(const test::Pool& pool);

}  // namespace sfg::bench
