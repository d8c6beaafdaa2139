// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/random/brick_breaker.hpp"
#include "tests/integration/random/fuse_actor.hpp"
#include "tests/integration/random/judge.hpp"
#include "tests/integration/random/libvirt_actor.hpp"

namespace sfg::test::random {

// The whole of it: everybody works for some seconds, all stop, what is there is looked at and held
// against the model, and so on.
class Session {
  public:
    explicit Session(std::uint64_t seed);
    ~Session();

    // One round and what is found behind it.
    void play(std::chrono::milliseconds length, bool with_outages);

    // All findings by rule, the first of each with the calls that led to it; empty for none.
    std::string report() const;
    std::string statistics() const;

  private:
    void work(Time deadline, bool with_outages);
    Snapshot quiet_look();
    void find(const std::vector<Finding>& findings, const std::vector<Operation>& operations);
    // What a finding leaves is put away, so that the next round begins in order.
    void tidy(const Snapshot& snapshot);
    void daemons_agree_with(const Snapshot& snapshot);
    std::string disagreement(int host, bool inner, const Snapshot& snapshot);
    void works_again();
    void count(const std::vector<Operation>& operations);

    Lab& lab_;
    Playground ground_;
    Journal journal_;
    std::map<int, std::string> pids_;  // of libvirtd
    std::map<int, Client> clients_;
    std::vector<std::unique_ptr<LibvirtActor>> actors_;
    std::unique_ptr<FuseActor> fuse_;
    std::unique_ptr<BrickBreaker> breaker_;
    Snapshot before_;
    int round_ = 0;
    std::map<std::string, int> rules_;
    std::string told_;
    std::map<std::string, std::map<std::string, int>> outcomes_;
    Clock::duration worked_{0};
};

}  // namespace sfg::test::random
