// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/random/brick_breaker.hpp"

#include <algorithm>
#include <thread>

#include "tests/support/xml_text.hpp"

namespace sfg::test::random {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kThread = 91;
// Clients look for a brick that has gone every few seconds.
constexpr std::chrono::seconds kUntilFound{10};

}  // namespace

BrickBreaker::BrickBreaker(Lab& lab, Journal& journal, std::size_t bricks, std::uint64_t seed)
    : lab_(lab), journal_(journal), volume_(lab.volume()), bricks_(bricks), dice_(seed, kThread) {}

void BrickBreaker::ask(const std::string& brick, const std::string& action) {
    const Ran ran = lab_.call("brick", {volume_, brick, action});
    journal_.note("brick " + brick + " " + action + (ran.ok() ? "" : " FAILED: " + ran.output));
}

void BrickBreaker::work_until(Time deadline) {
    while (true) {
        dice_.next_step();
        const milliseconds pause(1000 + dice_.roll(3000));
        const milliseconds away(dice_.one_in(4) ? 0 : 1000 + dice_.roll(4000));
        const std::string brick = std::to_string(1 + dice_.roll(bricks_));
        if (Clock::now() + pause >= deadline) return;
        std::this_thread::sleep_for(pause);
        const Time begin = Clock::now();
        ask(brick, "kill");
        std::this_thread::sleep_until(std::min(Clock::now() + away, deadline));
        ask(brick, "start");
        outages_.push_back({begin, Clock::now() + kUntilFound});
    }
}

bool BrickBreaker::all_are_reached() const {
    const Ran status = lab_.gluster({"volume", "status", volume_, "clients", "--xml"});
    const auto counts =
        XmlText(status.output).all("//node[clientsStatus]/clientsStatus/clientCount");
    return counts.size() == bricks_ &&
           std::all_of(counts.begin(), counts.end(),
                       [&](const std::string& count) { return count == counts[0]; });
}

}  // namespace sfg::test::random
