// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "tests/bench/libvirt_client.hpp"
#include "tests/bench/process_usage.hpp"

namespace sfg::bench {

// What libvirtd held after the first tenth of the rounds and after the last.
struct Growth {
    ProcessUsage early;
    ProcessUsage late;

    // In bytes; negative where memory was given back.
    long long resident() const;
};

inline constexpr long long kMostGrowth = 2LL << 20;  // the aim: less, over 900 rounds after 100

// Creates a volume, deletes it and refreshes the pool, `rounds` times.
Growth measure_growth(const ScratchPool& pool, pid_t libvirtd, int rounds);

}  // namespace sfg::bench
