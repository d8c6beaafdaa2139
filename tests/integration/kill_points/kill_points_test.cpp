// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A process that is killed at any call of gfapi leaves either no volume or a whole one, of the old
// or the new size where it was resized, and nothing in the way of what comes after it.
//
// An operation of very many calls is killed at some of them, evenly spread; at all of them with
// SFG_EVERY_CALL=1 in the environment.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <tuple>

#include "tests/integration/kill_points/operations.hpp"
#include "tests/support/lab.hpp"

namespace sfg::test {
namespace {

// More calls than any operation makes.
constexpr long kNoEnd = 1000;

// At how many calls an operation is killed when not at all of them.
constexpr long kMostKills = 40;

// Nothing is done between two calls that gluster could see: before one is also after the last one.
class KilledAtEachCall : public FaultTest,
                         public testing::WithParamInterface<std::tuple<Operation, gfapi_fault>> {
  protected:
    const Operation& operation() const { return std::get<0>(GetParam()); }
    gfapi_fault fault() const { return std::get<1>(GetParam()); }

    void SetUp() override {
        FaultTest::SetUp();
        make_sources(operation());
    }

    std::string name_at(const std::string& at) const {
        return at + (operation().prefix.empty() ? "" : "/") + operation().prefix + "v";
    }

    // What was there before and can be seen by the one who is going to work with it.
    void prepare(Session& session, const std::string& name) {
        if (operation().does != Does::makes) {
            const Outcome made = observer().request(operation().with_name(operation().make, name));
            ASSERT_TRUE(made.ok) << made.message;
        }
        // Volumes are deleted and copied by who has seen them.
        if (operation().request != operation().make || operation().make.starts_with("clone ")) {
            const Outcome seen = session.refresh();
            ASSERT_TRUE(seen.ok) << seen.message;
        }
    }

    // From one call that is killed to the next.
    long step() {
        if (std::getenv("SFG_EVERY_CALL") != nullptr) return 1;
        Session session(directory());
        const std::string name = name_at("counted");
        prepare(session, name);
        session.plan(GFAPI_NO_FAULT, 0);
        const Outcome outcome = session.request(operation().with_name(operation().request, name));
        EXPECT_TRUE(outcome.ok) << outcome.message;
        const long calls = session.met().calls;
        EXPECT_LT(calls, kNoEnd);
        clear(name);
        return 1 + (calls - 1) / kMostKills;
    }

    testing::AssertionResult stands_as_it_may(const std::string& name) {
        if (operation().does != Does::changes) {
            if (auto absent = is_absent(name)) return absent;
            return stands_whole(name, operation().volume);
        }
        if (auto changed = stands_whole(name, operation().changed)) return changed;
        return stands_whole(name, operation().volume);
    }

    testing::AssertionResult is_done(const std::string& name) {
        if (operation().does == Does::deletes) return is_absent(name);
        return stands_whole(
            name, operation().does == Does::changes ? operation().changed : operation().volume);
    }

    // Whatever the killed process left, the name can be used, by another host and at once.
    void expect_usable(const std::string& name) {
        auto request = [&](const std::string& text) {
            const Outcome outcome = observer().request(operation().with_name(text, name));
            ASSERT_TRUE(outcome.ok) << text << ": " << outcome.message;
        };
        ASSERT_TRUE(sources_can_be_taken(observer(), operation()));
        if (operation().does == Does::changes) {
            request(operation().request);
            // The mount, through which the header was read before, may show it for a moment more.
            ASSERT_TRUE(comes_true([&] { return static_cast<bool>(is_done(name)); },
                                   std::chrono::seconds(3)))
                << is_done(name).message();
        } else {
            if (is_absent(name)) request(operation().make);
            ASSERT_TRUE(stands_whole(name, operation().volume));
        }
        request("delete NAME");
        ASSERT_TRUE(is_absent(name));
    }
};

TEST_P(KilledAtEachCall, LeavesNothingOrAWholeVolume) {
    bool done = false, left_something = false;
    const long every = step();
    // The two ways of being killed take turns where calls are left out.
    for (long at = fault() == GFAPI_KILL_DURING ? every : 1; !done; at += every) {
        ASSERT_LT(at, kNoEnd);
        const std::string name = name_at(std::to_string(at));
        SCOPED_TRACE("call " + std::to_string(at));
        Session victim(directory());
        prepare(victim, name);
        if (HasFatalFailure()) return;
        const auto before = temporaries_below(fuse()).size();
        victim.plan(fault(), at);
        const Outcome outcome = victim.request(operation().with_name(operation().request, name));
        SCOPED_TRACE(outcome.message);
        done = outcome.ok;
        ASSERT_TRUE(outcome.ok || victim.was_killed());
        if (done) {
            EXPECT_TRUE(is_done(name));
            EXPECT_EQ(temporaries_below(fuse()).size(), before);
        }

        left_something = left_something || !temporaries_below(fuse()).empty();
        EXPECT_TRUE(stands_as_it_may(name));
        expect_usable(name);
        if (HasFatalFailure()) return;
        if (operation().does == Does::deletes) clear_after(operation(), name);
    }
    // Or this test has killed nobody in the middle of work.
    if (operation().does == Does::makes && operation().volume.format != "directory") {
        EXPECT_TRUE(left_something);
    }
    // Directories and deletions have a file in work for a moment, which may be missed.
    if (operation().does == Does::changes) {
        EXPECT_FALSE(left_something);
    }

    auto sweeper = impatient_session();
    ASSERT_TRUE(sweeper->refresh().ok);
    EXPECT_EQ(temporaries_below(fuse()), std::vector<std::string>());
    EXPECT_TRUE(stands_whole(kBase, {"qcow2", kBaseCapacity}));
}

INSTANTIATE_TEST_SUITE_P(, KilledAtEachCall,
                         testing::Combine(testing::ValuesIn(operations()),
                                          testing::Values(GFAPI_KILL_BEFORE, GFAPI_KILL_DURING)),
                         [](const auto& test) {
                             return std::get<0>(test.param).label +
                                    (std::get<1>(test.param) == GFAPI_KILL_BEFORE ? "Before"
                                                                                  : "During");
                         });

class KilledSweep : public FaultTest {
  protected:
    // Leaves a file in work behind.
    void leave_temporary(const std::string& name) {
        const std::size_t before = temporaries_below(fuse()).size();
        for (; temporaries_below(fuse()).size() == before; ++call_after_its_making_) {
            Session victim(directory());
            victim.plan(GFAPI_KILL_BEFORE, call_after_its_making_);
            ASSERT_FALSE(victim.request("create " + name + " qcow2 1048576 0 -").ok);
            if (temporaries_below(fuse()).size() > before) return;
        }
    }

  private:
    long call_after_its_making_ = 1;
};

TEST_F(KilledSweep, TakesOnlyLeftOvers) {
    bool done = false;
    for (long at = 1; !done; ++at) {
        ASSERT_LT(at, kNoEnd);
        SCOPED_TRACE("call " + std::to_string(at));
        while (temporaries_below(fuse()).size() < 2) {
            leave_temporary("left");
            if (HasFatalFailure()) return;
        }
        auto sweeper = impatient_session();
        sweeper->plan(GFAPI_KILL_BEFORE, at);
        const Outcome outcome = sweeper->refresh();
        done = outcome.ok;
        ASSERT_TRUE(outcome.ok || sweeper->was_killed()) << outcome.message;
        EXPECT_TRUE(stands_whole(kBase, {"qcow2", kBaseCapacity}));
    }
    EXPECT_EQ(temporaries_below(fuse()), std::vector<std::string>());
}

}  // namespace
}  // namespace sfg::test
