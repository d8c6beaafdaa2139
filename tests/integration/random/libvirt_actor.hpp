// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "tests/integration/random/bricks.hpp"
#include "tests/integration/random/dice.hpp"
#include "tests/integration/random/history.hpp"
#include "tests/integration/random/journal.hpp"
#include "tests/integration/random/playground.hpp"

namespace sfg::test::random {

// A client of one host's libvirtd, which asks for whatever comes to its mind.
class LibvirtActor {
  public:
    LibvirtActor(const Playground& ground, Journal& journal, const std::string& uri, int host,
                 int number, std::uint64_t seed);

    void work_until(Time deadline);

  private:
    struct Place {
        Pool pool;
        bool inner;
        std::string name;  // as this pool has it
    };

    void step();
    Operation operation(Verb verb, const std::string& name) const;
    // A pool that reaches the name.
    Place place(const std::string& name);
    Pool pool(bool inner) const;
    std::string any_name(Wish wish = Wish::anything);
    // How a volume in `place` may name its base.
    std::string name_of_base(const Place& place, const std::string& base);

    void create(const std::string& name);
    void overlay(const std::string& name);
    void clone(const std::string& name);
    void resize(const std::string& name);
    void upload(const std::string& name);
    void download(const std::string& name);
    void wipe(const std::string& name);
    void erase(const std::string& name);
    void info(const std::string& name);
    void refresh(bool inner);
    // A call on a volume that is listed.
    template <typename Call>
    void with_volume(Operation operation, const Place& place, Call call);
    void begin(Operation& operation);
    void ended(Operation& operation, const Refusal& refusal);

    const Playground& ground_;
    Journal& journal_;
    const int host_;
    const std::string who_;
    Client client_;
    Dice dice_;
};

}  // namespace sfg::test::random
