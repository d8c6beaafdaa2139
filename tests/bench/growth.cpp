// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/growth.hpp"

#include <stdexcept>
#include <string>

namespace sfg::bench {
namespace {

long long difference(std::size_t early, std::size_t late) {
    return static_cast<long long>(late) - static_cast<long long>(early);
}

void must(const test::Refusal& refusal) {
    if (refusal.code != VIR_ERR_OK) throw std::runtime_error(refusal.message);
}

}  // namespace

long long Growth::resident() const {
    return difference(early.resident_bytes, late.resident_bytes);
}

long long Growth::threads() const {
    return difference(early.threads, late.threads);
}

long long Growth::descriptors() const {
    return difference(early.descriptors, late.descriptors);
}

Growth measure_growth(pid_t libvirtd, int rounds, const std::function<void(int)>& round) {
    Growth growth;
    for (int i = 0; i < rounds; ++i) {
        if (i == rounds / 10) growth.early = settled_usage(libvirtd);
        round(i);
    }
    growth.late = settled_usage(libvirtd);
    return growth;
}

std::function<void(int)> volumes_come_and_go(const test::Pool& pool) {
    return [pool](int round) {
        // Names differ, as they do in life: what is kept by name must not pile up.
        const std::string name = "round-" + std::to_string(round);
        const auto volume = pool.create(round % 2 == 0 ? test::qcow2(name) : test::raw(name));
        must(volume.refusal);
        must(volume->erase());
        must(pool.refresh());
    };
}

}  // namespace sfg::bench
