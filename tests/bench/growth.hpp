// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

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

// Creates a volume, deletes it and refreshes the pool, `rounds` times. Throws where libvirt
// refuses one.
Growth measure_growth(const test::Pool& pool, pid_t libvirtd, int rounds);

}  // namespace sfg::bench
