// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/growth.hpp"

#include <string>

namespace sfg::bench {

long long Growth::resident() const {
    return static_cast<long long>(late.resident_bytes) -
           static_cast<long long>(early.resident_bytes);
}

Growth measure_growth(const ScratchPool& pool, pid_t libvirtd, int rounds) {
    Growth growth;
    for (int round = 0; round < rounds; ++round) {
        if (round == rounds / 10) growth.early = settled_usage(libvirtd);
        // Names differ, as they do in life: what is kept by name must not pile up.
        const std::string name = "round-" + std::to_string(round);
        pool.create(volume_xml({name, round % 2 == 0 ? "qcow2" : "raw"}));
        pool.remove(name);
        pool.refresh();
    }
    growth.late = settled_usage(libvirtd);
    return growth;
}

}  // namespace sfg::bench
