// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace sfg::test::random {

// What a thread does is a function of the seed and of its number, whatever the others do: each step
// has a die of its own, so that one which needs fewer throws does not shift the next.
class Dice {
  public:
    Dice(std::uint64_t seed, std::uint64_t thread) : steps_(seed * 1000003 + thread) {}

    void next_step() { step_.seed(steps_()); }
    // 0 to sides - 1.
    std::size_t roll(std::size_t sides) { return static_cast<std::size_t>(step_() % sides); }
    bool one_in(std::size_t sides) { return roll(sides) == 0; }
    template <typename T>
    const T& any(const std::vector<T>& of) {
        return of[roll(of.size())];
    }

  private:
    std::mt19937_64 steps_;
    std::mt19937_64 step_;
};

}  // namespace sfg::test::random
