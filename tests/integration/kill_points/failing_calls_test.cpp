// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Any call of gfapi may fail: the operation then tells of an error and has changed nothing, or has
// done all of its work. It never crashes.
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <string>

#include "tests/integration/kill_points/operations.hpp"

namespace sfg::test {
namespace {

constexpr long kNoEnd = 200;

struct Failure {
    std::string label;
    gfapi_fault fault;
    int error;
};

const Failure kFailures[] = {
    {"InputOutput", GFAPI_FAIL, EIO},
    {"NoSpace", GFAPI_FAIL, ENOSPC},
    {"Interrupted", GFAPI_FAIL, EINTR},
    {"Denied", GFAPI_FAIL, EACCES},
    {"Vanished", GFAPI_FAIL, ENOENT},
    {"ConnectionLost", GFAPI_FAIL, ENOTCONN},
    {"AnswerLost", GFAPI_LOSE_ANSWER, ENOTCONN},
};

bool writes(const std::string& call) {
    return call == "glfs_pwrite" || call == "glfs_ftruncate" || call == "glfs_fallocate" ||
           call == "glfs_fsync" || call == "glfs_h_link";
}

class EachCallFails : public FaultTest, public testing::WithParamInterface<Operation> {
  protected:
    std::string name_at(const Failure& failure, long at) const {
        return failure.label + '-' + std::to_string(at) + (GetParam().prefix.empty() ? "" : "/") +
               GetParam().prefix + "v";
    }
};

TEST_P(EachCallFails, AndNothingIsHalfDone) {
    const Operation& operation = GetParam();
    // One process for all: what a failure leaves in it must not harm what comes after.
    auto subject = std::make_unique<Session>(directory());
    for (const Failure& failure : kFailures) {
        bool met_none = false;
        for (long at = 1; !met_none; ++at) {
            ASSERT_LT(at, kNoEnd);
            const std::string name = name_at(failure, at);
            if (operation.deletes) {
                const Outcome made = subject->request(operation.with_name(operation.make(), name));
                ASSERT_TRUE(made.ok) << made.message;
            }
            const auto before = temporaries_below(fuse()).size();
            subject->plan(failure.fault, at, failure.error);
            const Outcome outcome = subject->request(operation.with_name(operation.request, name));
            const auto met = subject->met();
            subject->plan(GFAPI_NO_FAULT, 0);
            met_none = met.name.empty();
            SCOPED_TRACE(failure.label + " at call " + std::to_string(at) + ", " +
                         (met_none ? "none" : met.name) + ": " +
                         (outcome.ok ? "done" : outcome.message));
            ASSERT_TRUE(outcome.ok || !met_none);
            EXPECT_TRUE(outcome.ok || !outcome.message.empty());

            // What was not written, or may not have reached the disks, is not there. Interrupted
            // calls may be made again, and so may all of them where a directory has vanished.
            const bool may_try_again = failure.error == EINTR || failure.error == ENOENT;
            EXPECT_FALSE(outcome.ok && writes(met.name) && !may_try_again);

            const bool lost = failure.fault == GFAPI_LOSE_ANSWER;
            const auto absent = is_absent(name);
            if (lost && !outcome.ok) {
                EXPECT_TRUE(absent || stands_whole(name, operation.volume));
            } else if (outcome.ok != operation.deletes) {
                EXPECT_TRUE(stands_whole(name, operation.volume));
            } else {
                EXPECT_TRUE(absent);
            }
            // What could not be removed, or not be known to be there, is left to the sweep.
            const bool may_leave =
                met.name == "glfs_h_unlink" || (lost && met.name == "glfs_h_creat_open");
            EXPECT_LE(temporaries_below(fuse()).size(), before + (may_leave ? 1 : 0));
            // So are directories that could not be marked as made for the volume, and those that a
            // delete, which is done by then, could not look at.
            const bool may_keep_parents = may_leave || lost || met.name == "glfs_h_setxattrs" ||
                                          (operation.deletes ? !met_none : outcome.ok);
            if (!operation.prefix.empty() && !may_keep_parents) {
                EXPECT_TRUE(is_absent(name.substr(0, name.find('/'))));
            }
            clear(name);
        }
    }
    EXPECT_TRUE(stands_whole(kBase, {"qcow2", kBaseCapacity}));
    subject.reset();
    ASSERT_TRUE(impatient_session()->refresh().ok);
    EXPECT_EQ(temporaries_below(fuse()), std::vector<std::string>());
}

// From one call on gluster answers no more.
TEST_P(EachCallFails, InAnOutage) {
    const Operation& operation = GetParam();
    auto subject = std::make_unique<Session>(directory());
    bool done = false;
    for (long at = 1; !done; ++at) {
        ASSERT_LT(at, kNoEnd);
        const std::string name = name_at({"Outage", GFAPI_OUTAGE, ENOTCONN}, at);
        if (operation.deletes) {
            const Outcome made = subject->request(operation.with_name(operation.make(), name));
            ASSERT_TRUE(made.ok) << made.message;
        }
        subject->plan(GFAPI_OUTAGE, at, ENOTCONN);
        const Outcome outcome = subject->request(operation.with_name(operation.request, name));
        done = subject->met().name.empty();
        subject->plan(GFAPI_NO_FAULT, 0);
        SCOPED_TRACE("from call " + std::to_string(at) + ": " + outcome.message);
        EXPECT_TRUE(is_absent(name) || stands_whole(name, operation.volume));
        // It is over: the same process goes on.
        EXPECT_TRUE(subject->refresh().ok);
        clear(name);
    }
}

INSTANTIATE_TEST_SUITE_P(, EachCallFails, testing::ValuesIn(operations()),
                         [](const auto& test) { return test.param.label; });

class EachCallOfARefreshFails : public FaultTest {};

// One directory that cannot be read is no reason to deactivate a pool, and nothing of a failure
// stays.
TEST_F(EachCallOfARefreshFails, AndTheNextIsWhole) {
    for (const std::string name : {"a/raw", "a/b/qcow2"})
        ASSERT_TRUE(
            observer()
                .request("create " + name + ' ' + name.substr(name.rfind('/') + 1) + " 1048576 0 -")
                .ok);
    const auto complete = observer().refresh().volumes;
    ASSERT_EQ(complete.size(), 5U);  // with the base and two directories
    for (const Failure& failure : kFailures) {
        bool met_none = false;
        for (long at = 1; !met_none; ++at) {
            ASSERT_LT(at, kNoEnd);
            // New, so that it has read no header yet.
            Session subject(directory());
            subject.request("delete nothing");  // connects
            subject.plan(failure.fault, at, failure.error);
            const Outcome outcome = subject.refresh();
            const auto met = subject.met();
            subject.plan(GFAPI_NO_FAULT, 0);
            met_none = met.name.empty();
            SCOPED_TRACE(failure.label + " at call " + std::to_string(at) + ", " + met.name + ": " +
                         outcome.message);
            // A directory, or a volume, that cannot be read is left out. Gluster being away is
            // another matter: the volumes are there.
            if (outcome.ok && (failure.error == ENOTCONN || met_none)) {
                for (const auto& volume : complete) EXPECT_TRUE(outcome.find(volume.name));
            }
            EXPECT_TRUE(outcome.ok || !met_none);
            const Outcome again = subject.refresh();
            ASSERT_TRUE(again.ok) << again.message;
            ASSERT_EQ(again.volumes.size(), complete.size());
            for (const auto& volume : complete) {
                const auto seen = again.find(volume.name);
                ASSERT_TRUE(seen) << volume.name;
                EXPECT_EQ(seen->format, volume.format) << volume.name;
            }
        }
    }
}

}  // namespace
}  // namespace sfg::test
