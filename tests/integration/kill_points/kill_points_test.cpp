// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A process that is killed at any call of gfapi leaves either no volume or a whole one, and nothing
// in the way of what comes after it.
#include <gtest/gtest.h>

#include <filesystem>
#include <tuple>

#include "tests/integration/kill_points/operations.hpp"

namespace sfg::test {
namespace {

// More calls than any operation makes.
constexpr long kNoEnd = 200;

// Nothing is done between two calls that gluster could see: before one is also after the last one.
class KilledAtEachCall : public FaultTest,
                         public testing::WithParamInterface<std::tuple<Operation, gfapi_fault>> {
  protected:
    const Operation& operation() const { return std::get<0>(GetParam()); }
    gfapi_fault fault() const { return std::get<1>(GetParam()); }

    // Whatever the killed process left, the name can be used, by another host and at once.
    void expect_usable(const std::string& name) {
        if (is_absent(name)) {
            const Outcome made =
                observer().request(operation().with_name(operation().make(), name));
            ASSERT_TRUE(made.ok) << made.message;
        }
        ASSERT_TRUE(stands_whole(name, operation().volume));
        const Outcome removed = observer().request("delete " + name);
        ASSERT_TRUE(removed.ok) << removed.message;
        ASSERT_TRUE(is_absent(name));
    }
};

TEST_P(KilledAtEachCall, LeavesNothingOrAWholeVolume) {
    bool done = false, left_something = false;
    for (long at = 1; !done; ++at) {
        ASSERT_LT(at, kNoEnd);
        const std::string name =
            std::to_string(at) + (operation().prefix.empty() ? "" : "/") + operation().prefix + "v";
        SCOPED_TRACE("call " + std::to_string(at));
        Session victim(directory());
        if (operation().deletes) {
            const Outcome made =
                observer().request(operation().with_name(operation().make(), name));
            ASSERT_TRUE(made.ok) << made.message;
            ASSERT_TRUE(victim.refresh().ok);  // it deletes what it has seen
        }
        const auto before = temporaries_below(fuse()).size();
        victim.plan(fault(), at);
        const Outcome outcome = victim.request(operation().with_name(operation().request, name));
        SCOPED_TRACE(outcome.message);
        done = outcome.ok;
        ASSERT_TRUE(outcome.ok || victim.was_killed());
        if (done) {
            EXPECT_TRUE(operation().deletes ? is_absent(name)
                                            : stands_whole(name, operation().volume));
            EXPECT_EQ(temporaries_below(fuse()).size(), before);
        }

        left_something = left_something || !temporaries_below(fuse()).empty();
        const auto absent = is_absent(name);
        EXPECT_TRUE(absent || stands_whole(name, operation().volume));
        expect_usable(name);
        if (HasFatalFailure()) return;
    }
    // Or this test has killed nobody in the middle of work.
    const bool makes_a_file = !operation().deletes && operation().volume.format != "directory";
    EXPECT_EQ(left_something, makes_a_file);

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
