// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "tests/integration/random/bricks.hpp"
#include "tests/integration/random/dice.hpp"
#include "tests/integration/random/history.hpp"
#include "tests/integration/random/journal.hpp"
#include "tests/integration/random/playground.hpp"

namespace sfg::test::random {

// Somebody who works on a FUSE mount, where nothing is guarded. It takes nothing away that it sees
// in use as a base; what it takes away all the same, because an overlay came meanwhile, is its own
// doing and not the driver's.
class FuseActor {
  public:
    FuseActor(const Playground& ground, Journal& journal, std::uint64_t seed);

    void work_until(Time deadline);

  private:
    void step();
    Operation operation(Verb verb, const std::string& name) const;
    std::string any_name(Wish wish = Wish::anything);

    void create(const std::string& name);
    void remove(const std::string& name);
    void move(const std::string& name);
    // Only what is raw: a part of an image is not to be cut off.
    void change_raw(const std::string& name);
    // What `call` returns is 0 or -1 with errno.
    template <typename Call>
    void ask(Operation& operation, Call call);

    const Playground& ground_;
    Journal& journal_;
    Dice dice_;
};

}  // namespace sfg::test::random
