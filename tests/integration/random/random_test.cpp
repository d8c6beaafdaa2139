// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Two libvirtds and a FUSE mount at the same few names while bricks come and go, for
// SFG_RANDOM_SECONDS (60). SFG_RANDOM_SEED has each of them ask for the same again, though not at
// the same moments.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/integration/random/session.hpp"

namespace sfg::test {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0' ? std::strtoull(value, nullptr, 10) : otherwise;
}

TEST(Random, NothingIsLostThatNobodyAskedToLose) {
    const std::uint64_t seed = number_from_environment("SFG_RANDOM_SEED", std::random_device()());
    const std::chrono::seconds length(number_from_environment("SFG_RANDOM_SECONDS", 60));
    std::cout << "SFG_RANDOM_SEED=" << seed << " SFG_RANDOM_SECONDS=" << length.count()
              << std::endl;

    random::Session session(seed);
    const auto deadline = random::Clock::now() + length;
    // Without outages every refusal is sure, and with them there is more to be found.
    for (int round = 0; random::Clock::now() < deadline; ++round) {
        const bool with_outages = round % 3 != 0;
        session.play(std::chrono::milliseconds(with_outages ? 12000 : 5000), with_outages);
    }
    std::cout << session.statistics() << std::flush;
    const std::string report = session.report();
    EXPECT_TRUE(report.empty()) << report << "SFG_RANDOM_SEED=" << seed << " repeats it";
}

}  // namespace
}  // namespace sfg::test
