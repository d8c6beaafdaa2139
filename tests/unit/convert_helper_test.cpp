// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The library's side of a conversion, with a shell script as the helper.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>

#include "driver/convert/convert.hpp"
#include "driver/convert/helper_process.hpp"

namespace sfg {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

class ConvertHelperTest : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/sfg-convert-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
        job_.source = {{"raw", {std::nullopt, "/source", ""}}};
        job_.target.format = "raw";
        job_.target.file = {std::nullopt, "/target", ""};
    }
    void TearDown() override {
        for (const char* const file : {"/helper", "/note"}) unlink((directory_ + file).c_str());
        rmdir(directory_.c_str());
    }

    // What the helper does; $DIR is the test's directory.
    Result<void> convert_with(const std::string& script, std::stop_token stop = {}) {
        tools_.helper = directory_ + "/helper";
        {
            std::ofstream file(tools_.helper);
            file << "#!/bin/sh\nDIR=" << directory_ << '\n' << script << '\n';
        }
        chmod(tools_.helper.c_str(), 0755);
        return convert_image(
            job_, [this](double percent) { percents_.push_back(percent); }, stop, tools_);
    }
    std::string note() const {
        std::ifstream file(directory_ + "/note");
        return std::string(std::istreambuf_iterator<char>(file), {});
    }

    std::string directory_;
    ConvertJob job_;
    ConvertTools tools_;
    std::vector<double> percents_;
};

TEST_F(ConvertHelperTest, DoneIsSuccess) {
    const auto done = convert_with("echo alive; echo done");
    EXPECT_TRUE(done) << done.error().message();
}

TEST_F(ConvertHelperTest, ProgressOnlyGrows) {
    const auto done = convert_with(
        "echo progress 0.00; echo progress 20.00; echo progress 10.00; echo progress 20.00\n"
        "echo progress 500; echo progress 99.50; echo done");
    EXPECT_TRUE(done);
    EXPECT_EQ(percents_, (std::vector<double>{0, 20, 99.5}));
}

TEST_F(ConvertHelperTest, ItsErrorIsOurs) {
    const auto done =
        convert_with("echo 'error no_space 28 converting: the brick is full'; exit 1");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind(), ErrorKind::no_space);
    EXPECT_EQ(done.error().system_errno(), ENOSPC);
    EXPECT_EQ(done.error().message(), "converting: the brick is full");
}

TEST_F(ConvertHelperTest, TheJobArrivesWhole) {
    // More than a socket holds.
    job_.source[0].file.path = "/" + std::string(1 << 20, 'x');
    const auto done = convert_with("sleep 0.2; head -c 1048700 | wc -c > $DIR/note; echo done");
    EXPECT_TRUE(done);
    EXPECT_EQ(note(), "1048700\n");
}

TEST_F(ConvertHelperTest, DeathWithoutAWordIsAnError) {
    auto done = convert_with("kill -9 $$");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message(), "the converter ended unexpectedly by signal 9");
    done = convert_with("echo progress 50.00; exit 3");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message(), "the converter ended unexpectedly with status 3");
    done = convert_with("exit 0");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message(), "the converter ended unexpectedly");
}

TEST_F(ConvertHelperTest, StrayWordsStandInTheError) {
    const auto done = convert_with("printf 'libx.so: not\\033 found' >&2; exit 127");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message(),
              "the converter ended unexpectedly with status 127: libx.so: not\\x1b found");
}

TEST_F(ConvertHelperTest, MuchNonsenseIsNoTrouble) {
    const auto done = convert_with("head -c 3000000 /dev/zero; echo; echo done");
    EXPECT_TRUE(done);
}

TEST_F(ConvertHelperTest, AMissingHelperIsNamed) {
    tools_.helper = directory_ + "/none";
    const auto done = convert_image(job_, {}, {}, tools_);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind(), ErrorKind::unsupported);
    EXPECT_NE(done.error().message().find(tools_.helper), std::string::npos);
}

TEST_F(ConvertHelperTest, CancellingEndsItByTheSocket) {
    std::stop_source stop;
    std::thread canceller([&] {
        while (note().empty()) std::this_thread::sleep_for(milliseconds(5));
        stop.request_stop();
    });
    // As the real one: it ends when nobody listens.
    const auto start = Clock::now();
    const auto done = convert_with(
        "head -c 20 >/dev/null; echo x > $DIR/note; cat >/dev/null; echo ended > $DIR/note",
        stop.get_token());
    canceller.join();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().system_errno(), ECANCELED);
    EXPECT_EQ(note(), "ended\n");
    EXPECT_LT(Clock::now() - start, seconds(10));
}

TEST_F(ConvertHelperTest, CancelledBeforeItBegan) {
    std::stop_source stop;
    stop.request_stop();
    const auto done = convert_with("echo x > $DIR/note; echo done", stop.get_token());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().system_errno(), ECANCELED);
    EXPECT_EQ(note(), "");
}

TEST_F(ConvertHelperTest, NothingMovingIsAnError) {
    tools_.stall_limit = milliseconds(1000);
    const auto start = Clock::now();
    // The same percentage again is no progress.
    const auto done =
        convert_with("(while sleep 0.1; do echo progress 50.00; done) & cat >/dev/null; kill $!");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind(), ErrorKind::not_connected);
    EXPECT_EQ(done.error().message(), "nothing has moved for 1 s");
    EXPECT_LT(Clock::now() - start, seconds(10));
}

TEST_F(ConvertHelperTest, SignsOfLifeCountAsMoving) {
    tools_.stall_limit = milliseconds(1000);
    const auto done = convert_with("for i in 1 2 3 4 5; do sleep 0.4; echo alive; done; echo done");
    EXPECT_TRUE(done) << done.error().message();
}

TEST_F(ConvertHelperTest, AWrongJobStartsNothing) {
    job_.target.format = "nbd";
    EXPECT_FALSE(convert_with("echo x > $DIR/note; echo done"));
    EXPECT_EQ(note(), "");
}

TEST_F(ConvertHelperTest, ItInheritsOnlyTheSocketAndNoEnvironment) {
    const int leaked = open("/dev/null", O_RDONLY);
    setenv("SFG_SECRET", "x", 1);
    sigset_t blocked;
    sigset_t before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const auto pipes = signal(SIGPIPE, SIG_IGN);
    const auto done = convert_with(
        "{ ls -l /proc/$$/fd | sed -n 's/.*[0-9] \\([0-9]*\\) -> \\([a-z/]*\\).*/\\1 \\2/p'; env | "
        "sort;\n"
        "grep -E 'Sig(Blk|Ign)' /proc/self/status; } > $DIR/note; echo done");
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    signal(SIGPIPE, pipes);
    unsetenv("SFG_SECRET");
    close(leaked);
    EXPECT_TRUE(done);
    const std::string seen = note();
    EXPECT_NE(seen.find("0 socket\n"), std::string::npos) << seen;
    EXPECT_EQ(seen.find("/dev/null"), std::string::npos) << seen;
    EXPECT_EQ(seen.find("SFG_SECRET"), std::string::npos) << seen;
    EXPECT_NE(seen.find("SigBlk:\t0000000000000000"), std::string::npos) << seen;
    // glibc keeps two signals beyond the standard ones for itself.
    EXPECT_NE(seen.find("0000000\n", seen.find("SigIgn:")), std::string::npos) << seen;
}

TEST(ConvertHelper, StandsBesideTheLibrary) {
    EXPECT_TRUE(default_helper().ends_with("/sfgluster-convert")) << default_helper();
}

}  // namespace
}  // namespace sfg
