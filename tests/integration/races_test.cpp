// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Two hosts, and many threads, at the same names; and what a host that was killed leaves behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <filesystem>
#include <mutex>
#include <random>
#include <thread>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class RacesTest : public PoolTest {
  protected:
    static constexpr int kOther = 2;

    static void TearDownTestSuite() {
        lab().configure(kOther, "");
        const Ran started = lab().libvirtd_with_ours(kOther);
        EXPECT_TRUE(started.ok()) << started.output;
    }

    // The other host's libvirtd takes temporaries of this age for left-overs.
    void set_temporary_age(int age) {
        lab().configure(kOther, "[driver]\ntemporary-age=" + std::to_string(age) + "\n");
        const Ran started = lab().libvirtd(kOther, "restart");
        ASSERT_TRUE(started.ok()) << started.output;
        reconnect(kOther);
    }

    void make_old(const std::string& name) {
        // gluster keeps a ctime of its own, which cannot be set back: such files are made old by
        // an age of one second and a wait.
        const timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
        ASSERT_EQ(utimensat(AT_FDCWD, fuse(name).c_str(), times, 0), 0);
    }
};

std::string temporary_of(const std::string& name, int id) {
    char digits[17];
    std::snprintf(digits, sizeof(digits), "%016x", static_cast<unsigned>(id));
    return "." + name + ".sfgluster-" + digits;
}

}  // namespace

TEST_F(RacesTest, OfTwoHostsThatCreateOneNameExactlyOneWins) {
    constexpr int kRounds = 60;
    Pool other = pool_on(kOther);
    ASSERT_TRUE(done(pool().create(qcow2("base"))));
    std::barrier start(2);
    struct Outcome {
        bool made;
        Refusal refusal;
        std::string xml;
    };
    std::vector<std::array<Outcome, 2>> outcomes(kRounds);
    auto spec_for = [](int round) {
        const std::string name = "d" + std::to_string(round % 7) + "/v" + std::to_string(round);
        switch (round % 4) {
            case 0:
                return raw(name);
            case 1:
                return qcow2(name);
            case 2:
                return overlay(name, "base");
            default:
                return directory(name);
        }
    };
    auto contend = [&](std::size_t who, const Pool& on) {
        for (int round = 0; round < kRounds; ++round) {
            VolumeSpec spec = spec_for(round);
            // To tell whose it is.
            if (spec.type.empty()) {
                spec.owner = 5000 + static_cast<unsigned>(who);
                spec.mode = "0600";
            }
            start.arrive_and_wait();
            const auto answer = on.create(spec);
            outcomes[static_cast<std::size_t>(round)][who] = {
                bool(answer), answer.refusal,
                answer ? answer->xml().value.value_or("") : std::string()};
        }
    };
    std::thread second([&] { contend(1, other); });
    contend(0, pool());
    second.join();

    int won_by_first = 0;
    for (int round = 0; round < kRounds; ++round) {
        const auto& [first, last] = outcomes[static_cast<std::size_t>(round)];
        const std::string name = spec_for(round).name;
        SCOPED_TRACE(name);
        EXPECT_NE(first.made, last.made) << first.refusal.message << " | " << last.refusal.message;
        if (first.made == last.made) continue;
        won_by_first += first.made ? 1 : 0;
        EXPECT_TRUE(
            is_refusal(first.made ? last.refusal : first.refusal, VIR_ERR_STORAGE_VOL_EXIST, ""));
        // The loser's clean-up left the winner's volume.
        ASSERT_TRUE(exists(name));
        if (spec_for(round).type.empty()) {
            struct stat status {};
            ASSERT_EQ(stat(fuse(name).c_str(), &status), 0);
            EXPECT_EQ(status.st_uid, first.made ? 5000u : 5001u);
        }
    }
    RecordProperty("won_by_first", won_by_first);
    // No temporaries are left, and both hosts see the same.
    ASSERT_TRUE(done(pool().refresh()));
    ASSERT_TRUE(done(other.refresh()));
    EXPECT_EQ(pool().volume_names(), other.volume_names());
    EXPECT_EQ(on_brick().size(), pool().volume_names().size());
}

TEST_F(RacesTest, AWinnersVolumeKeepsItsIdentityWhenTheLoserTriesAgainAndAgain) {
    Pool other = pool_on(kOther);
    ASSERT_TRUE(done(pool().create(qcow2("a"))));
    const std::string mine = gfid("a");
    for (int i = 0; i < 10; ++i) {
        // The other host has not refreshed: libvirt there asks us.
        EXPECT_TRUE(refused(other.create(raw("a")), VIR_ERR_STORAGE_VOL_EXIST));
        EXPECT_EQ(gfid("a"), mine);
    }
    EXPECT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(done(pool().volume("a")->erase()));
}

TEST_F(RacesTest, ADeletedAndRecreatedVolumeIsNotDeletedByAStaleHost) {
    ASSERT_TRUE(done(pool().create(raw("a"))));
    Pool other = pool_on(kOther);
    auto stale = other.volume("a");
    ASSERT_TRUE(done(stale));
    ASSERT_TRUE(done(pool().volume("a")->erase()));
    EXPECT_TRUE(refused(stale->info(), VIR_ERR_NO_STORAGE_VOL, "refresh"));
    ASSERT_TRUE(done(pool().create(qcow2("a"))));
    EXPECT_TRUE(refused(stale->erase(), VIR_ERR_RESOURCE_BUSY, "refresh"));
    EXPECT_TRUE(exists("a"));
    ASSERT_TRUE(done(other.refresh()));
    EXPECT_TRUE(done(other.volume("a")->erase()));
    EXPECT_FALSE(exists("a"));
}

// When libvirt cannot look at what was just built, or a clone fails, it calls deleteVol with that
// name, whosever file stands there by then.
TEST_F(RacesTest, TheCleanUpOfACreationThatWasOvertakenSparesWhatStandsThere) {
    constexpr int kRounds = 400;
    auto name_of = [](int round) { return "c" + std::to_string(round); };
    std::vector<ino_t> theirs(kRounds, 0);
    std::barrier start(2);
    // Another client puts a file of its own in the place of what is there, at any moment of ours.
    std::thread other([&] {
        std::mt19937 random(20240613);
        for (int round = 0; round < kRounds; ++round) {
            const std::string path = fuse(name_of(round));
            start.arrive_and_wait();
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 6000));
            unlink(path.c_str());
            const int fd = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
            if (fd < 0) continue;  // we were quicker
            struct stat status {};
            if (fstat(fd, &status) == 0) theirs[static_cast<std::size_t>(round)] = status.st_ino;
            close(fd);
        }
    });
    int refusals = 0;
    for (int round = 0; round < kRounds; ++round) {
        start.arrive_and_wait();
        if (!pool().create(raw(name_of(round)))) ++refusals;
    }
    other.join();
    int stood = 0;
    for (int round = 0; round < kRounds; ++round) {
        const ino_t wanted = theirs[static_cast<std::size_t>(round)];
        if (wanted == 0) continue;
        struct stat status {};
        EXPECT_EQ(stat(fuse(name_of(round)).c_str(), &status), 0) << round;
        EXPECT_EQ(status.st_ino, wanted) << round;
        ++stood;
    }
    // The moments were of all kinds.
    EXPECT_GT(stood, 50);
    EXPECT_GT(refusals, 2);
    EXPECT_LT(refusals, kRounds);
}

TEST_F(RacesTest, ACloneOntoANameThatIsTakenElsewhereSparesIt) {
    ASSERT_TRUE(done(pool().create(raw("source"))));
    write_file("theirs", "precious");
    const std::string there = gfid("theirs");
    const auto made = pool().clone(raw("theirs"), *pool().volume("source"));
    EXPECT_FALSE(made);
    EXPECT_NE(made.refusal.code, VIR_ERR_INTERNAL_ERROR) << made.refusal.message;
    EXPECT_EQ(gfid("theirs"), there);
    EXPECT_EQ(read_file("theirs"), "precious");
}

TEST_F(RacesTest, CreationAndDeletionBesideEachOtherKeepParentsInOrder) {
    // The last volume of a directory goes while another comes.
    Pool other = pool_on(kOther);
    std::barrier start(2);
    constexpr int kRounds = 60;
    std::atomic<int> failures{0};
    std::mutex mutex;
    std::string messages;
    auto work = [&](const Pool& on, const std::string& name) {
        for (int round = 0; round < kRounds; ++round) {
            start.arrive_and_wait();
            auto made = on.create(raw(name));
            const Refusal erased = made ? made->erase() : made.refusal;
            if (erased.code != VIR_ERR_OK) {
                ++failures;
                const std::lock_guard held(mutex);
                messages += erased.message + "\n";
            }
        }
    };
    std::thread second([&] { work(other, "p/q/two"); });
    work(pool(), "p/q/one");
    second.join();
    EXPECT_EQ(failures, 0) << messages;
    EXPECT_FALSE(exists("p/q/one"));
    EXPECT_FALSE(exists("p/q/two"));
}

TEST_F(RacesTest, SixteenThreadsOnOnePool) {
    constexpr int kThreads = 16;
    constexpr int kRounds = 25;
    std::atomic<int> wrong{0};
    std::mutex mutex;
    std::string messages;
    auto complain = [&](const std::string& what, const Refusal& refusal) {
        ++wrong;
        const std::lock_guard held(mutex);
        if (messages.size() < 4000)
            messages += what + ": " + std::to_string(refusal.code) + " " + refusal.message + "\n";
    };
    const std::string uri_of_host = lab().path("LIBVIRT_URI");
    ASSERT_TRUE(done(pool().create(qcow2("base"))));
    auto work = [&](int me) {
        const Client own(uri_of_host);
        const auto same = own.pool(pool_name());
        if (!same) return complain("pool", same.refusal);
        std::mt19937 random(static_cast<unsigned>(me));
        for (int round = 0; round < kRounds; ++round) {
            const std::string name = "t/" + std::to_string(me) + "/" + std::to_string(round);
            auto made = same->create(round % 2 == 0 ? raw(name) : overlay(name, "base"));
            if (!made) {
                complain("create " + name, made.refusal);
                continue;
            }
            if (auto found = same->volume(name); !found) complain("lookup " + name, found.refusal);
            if (auto info = made->info(); !info) complain("info " + name, info.refusal);
            if (random() % 4 == 0)
                if (const Refusal refusal = same->refresh(); refusal.code != VIR_ERR_OK)
                    // libvirt's own word for a pool with a volume that is being built
                    if (refusal.message.find("asynchronous jobs running") == std::string::npos)
                        complain("refresh", refusal);
            // All want this one.
            auto shared = same->create(raw("shared"));
            if (!shared && shared.refusal.code != VIR_ERR_STORAGE_VOL_EXIST)
                complain("shared", shared.refusal);
            if (shared)
                if (const Refusal refusal = shared->erase(); refusal.code != VIR_ERR_OK)
                    complain("delete shared", refusal);
            if (const Refusal refusal = made->erase(); refusal.code != VIR_ERR_OK)
                complain("delete " + name, refusal);
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0) << messages;
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), Names{"base"});
    EXPECT_EQ(on_brick().size(), 1u);
}

TEST_F(RacesTest, TemporariesAreNotListed) {
    write_file(temporary_of("a", 1), "half");
    write_file("d/" + temporary_of("b", 2), "half");
    write_file(".a.sfgluster-short", "a user's own");
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), (Names{".a.sfgluster-short", "d"}));
    // Young ones are somebody's work.
    EXPECT_TRUE(exists(temporary_of("a", 1)));
    EXPECT_TRUE(exists("d/" + temporary_of("b", 2)));
}

TEST_F(RacesTest, OldTemporariesThatNobodyHoldsAreSwept) {
    set_temporary_age(2);
    write_file(temporary_of("left", 1), "half");
    write_file("d/" + temporary_of("left", 2), "half");
    write_file(temporary_of("locked", 3), "half");
    const int fd = open(fuse(temporary_of("locked", 3)).c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    ASSERT_EQ(fcntl(fd, F_SETLK, &lock), 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(3500));
    write_file(temporary_of("young", 4), "half");
    write_file(".mine.sfgluster-0123", "not of ours");

    Pool other = pool_on(kOther);
    ASSERT_TRUE(done(other.refresh()));
    EXPECT_FALSE(exists(temporary_of("left", 1)));
    EXPECT_FALSE(exists("d/" + temporary_of("left", 2)));
    EXPECT_TRUE(exists(temporary_of("locked", 3)));
    EXPECT_TRUE(exists(temporary_of("young", 4)));
    EXPECT_TRUE(exists(".mine.sfgluster-0123"));
    close(fd);
    ASSERT_TRUE(done(other.refresh()));
    EXPECT_FALSE(exists(temporary_of("locked", 3)));
}

TEST_F(RacesTest, AnOldTemporaryIsKeptForAnHourWithoutAWord) {
    write_file(temporary_of("a", 1), "half");
    make_old(temporary_of("a", 1));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(exists(temporary_of("a", 1)));
}

TEST_F(RacesTest, AKilledLibvirtdLeavesWholeVolumesOrNone) {
    set_temporary_age(0);
    const std::string uri_of_other = lab().path("LIBVIRT_URI", kOther);
    pool_on(kOther);
    std::atomic<bool> stop{false};
    std::thread creator([&] {
        const Client own(uri_of_other);
        const auto same = own.pool(pool_name());
        for (int i = 0; same && !stop; ++i)
            if (!same->create(qcow2("k/" + std::to_string(i), 64 * kGiB)) && !own.is_alive())
                return;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    EXPECT_TRUE(lab().libvirtd(kOther, "kill").ok());
    stop = true;
    creator.join();
    ASSERT_TRUE(lab().libvirtd(kOther, "restart").ok());
    reconnect(kOther);
    // The dead host's locks go with its connection.
    Pool other = pool_on(kOther);
    EXPECT_TRUE(comes_true(
        [&] {
            other.refresh();
            return on_brick().size() == other.volume_names().size();
        },
        std::chrono::seconds(10)));
    const auto names = other.volume_names();
    EXPECT_GT(names.size(), 2u);
    for (const auto& name : names) {
        if (name == "k") continue;
        const Ran checked = shell("qemu-img check -q -f qcow2 " + quoted(fuse(name)));
        EXPECT_TRUE(checked.ok()) << name << ": " << checked.output;
        EXPECT_EQ(other.volume(name)->info()->capacity, 64 * kGiB) << name;
    }
}

}  // namespace sfg::test
