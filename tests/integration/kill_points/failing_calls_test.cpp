// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Any call of gfapi may fail: the operation then tells of an error and has changed nothing, or has
// done all of its work. It never crashes.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "tests/integration/kill_points/operations.hpp"

namespace sfg::test {
namespace {

constexpr long kNoEnd = 1000;

// At how many calls an operation fails when not at all of them (SFG_EVERY_CALL=1).
constexpr long kMostFailures = 40;

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
           call == "glfs_fsync" || call == "glfs_h_link" || call == "glfs_lseek";
}

class EachCallFails : public FaultTest, public testing::WithParamInterface<Operation> {
  protected:
    void SetUp() override {
        FaultTest::SetUp();
        make_sources(GetParam());
    }

    void make_if_it_must_be_there(Session& session, const std::string& name) {
        const Operation& operation = GetParam();
        if (operation.does == Does::makes) return;
        const Outcome made = session.request(operation.with_name(operation.make, name));
        ASSERT_TRUE(made.ok) << made.message;
    }

    // From one call that fails to the next.
    long step(Session& session) {
        if (std::getenv("SFG_EVERY_CALL") != nullptr) return 1;
        const std::string name = name_at({"Counted", GFAPI_NO_FAULT, 0}, 0);
        make_if_it_must_be_there(session, name);
        session.plan(GFAPI_NO_FAULT, 0);
        const Outcome outcome = session.request(GetParam().with_name(GetParam().request, name));
        EXPECT_TRUE(outcome.ok) << outcome.message;
        const long calls = session.met().calls;
        clear(name);
        return 1 + (calls - 1) / kMostFailures;
    }

    bool stands_as_it_may(const std::string& name) {
        const Operation& operation = GetParam();
        if (operation.does == Does::changes)
            return stands_whole(name, operation.volume) || stands_whole(name, operation.changed);
        return is_absent(name) || stands_whole(name, operation.volume);
    }

    std::string name_at(const Failure& failure, long at) const {
        return failure.label + '-' + std::to_string(at) + (GetParam().prefix.empty() ? "" : "/") +
               GetParam().prefix + "v";
    }
};

TEST_P(EachCallFails, AndNothingIsHalfDone) {
    const Operation& operation = GetParam();
    // One process for all: what a failure leaves in it must not harm what comes after.
    auto subject = std::make_unique<Session>(directory());
    ASSERT_TRUE(subject->refresh().ok);  // it copies what it has seen
    const long every = step(*subject);
    for (const Failure& failure : kFailures) {
        bool met_none = false;
        for (long at = 1; !met_none; at += every) {
            ASSERT_LT(at, kNoEnd);
            const std::string name = name_at(failure, at);
            make_if_it_must_be_there(*subject, name);
            if (HasFatalFailure()) return;
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
            // A deletion is done when the name is gone, whether that is flushed or not.
            EXPECT_FALSE(outcome.ok && writes(met.name) && !may_try_again &&
                         operation.does != Does::deletes);

            // A change that has reached the disks may fail at the last.
            const bool lost = failure.fault == GFAPI_LOSE_ANSWER;
            if (operation.does == Does::changes) {
                if (outcome.ok) {
                    EXPECT_TRUE(stands_whole(name, operation.changed));
                } else if (lost || met.name == "glfs_fsync" || met.name == "glfs_close") {
                    EXPECT_TRUE(stands_as_it_may(name));
                } else {
                    EXPECT_TRUE(stands_whole(name, operation.volume));
                }
                // Nobody holds it, neither here nor in gluster.
                EXPECT_TRUE(can_be_taken(*subject, name));
                EXPECT_TRUE(can_be_taken(observer(), name));
            } else if (lost && !outcome.ok) {
                EXPECT_TRUE(stands_as_it_may(name));
            } else if (outcome.ok != (operation.does == Does::deletes)) {
                EXPECT_TRUE(stands_whole(name, operation.volume));
            } else {
                EXPECT_TRUE(is_absent(name));
            }
            EXPECT_TRUE(sources_can_be_taken(*subject, operation));
            EXPECT_TRUE(sources_can_be_taken(observer(), operation));
            // What could not be removed, or not be known to be there, is left to the sweep.
            const bool may_leave =
                met.name == "glfs_h_unlink" || (lost && met.name == "glfs_h_creat_open");
            EXPECT_LE(temporaries_below(fuse()).size(), before + (may_leave ? 1 : 0));
            // So are directories that could not be marked as made for the volume, and those that a
            // delete, which is done by then, could not look at.
            const bool may_keep_parents =
                may_leave || lost || met.name == "glfs_h_setxattrs" ||
                (operation.does == Does::deletes ? !met_none : outcome.ok);
            if (!operation.prefix.empty() && !may_keep_parents) {
                EXPECT_TRUE(is_absent(name.substr(0, name.find('/'))));
            }
            clear_after(operation, name);
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
    ASSERT_TRUE(subject->refresh().ok);  // it copies what it has seen
    const long every = step(*subject);
    bool done = false;
    for (long at = 1; !done; at += every) {
        ASSERT_LT(at, kNoEnd);
        const std::string name = name_at({"Outage", GFAPI_OUTAGE, ENOTCONN}, at);
        make_if_it_must_be_there(*subject, name);
        if (HasFatalFailure()) return;
        subject->plan(GFAPI_OUTAGE, at, ENOTCONN);
        const Outcome outcome = subject->request(operation.with_name(operation.request, name));
        done = subject->met().name.empty();
        subject->plan(GFAPI_NO_FAULT, 0);
        SCOPED_TRACE("from call " + std::to_string(at) + ": " + outcome.message);
        EXPECT_TRUE(stands_as_it_may(name));
        // It is over: the same process goes on.
        EXPECT_TRUE(subject->refresh().ok);
        EXPECT_TRUE(sources_can_be_taken(*subject, operation));
        clear_after(operation, name);
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
