// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <utility>
#include <vector>

#include "tests/integration/random/dice.hpp"
#include "tests/integration/random/history.hpp"
#include "tests/integration/random/journal.hpp"
#include "tests/support/lab.hpp"

namespace sfg::test::random {

// Kills one brick at a time and starts it again, for a while or at once.
class BrickBreaker {
  public:
    BrickBreaker(Lab& lab, Journal& journal, std::size_t bricks, std::uint64_t seed);

    // All are up at its end.
    void work_until(Time deadline);
    // Each client of the volume has a connection to each brick.
    bool all_are_reached() const;
    // Since the last time.
    std::vector<Outage> take_outages() { return std::exchange(outages_, {}); }

  private:
    void ask(const std::string& brick, const std::string& action);

    Lab& lab_;
    Journal& journal_;
    const std::string volume_;
    const std::size_t bricks_;
    Dice dice_;
    std::vector<Outage> outages_;
};

}  // namespace sfg::test::random
