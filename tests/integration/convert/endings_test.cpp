// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How conversions end that do not come to their end.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "tests/integration/convert/convert_lab.hpp"

namespace sfg::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kHangs[] = "printf '    (10.00/100%%)\\r'; exec sleep 1000";

// A conversion in a process of its own that has come to its first percents.
class ConvertKillTest : public ConvertTest {
  protected:
    void begin(const std::string& program) {
        make_raw("source", "64M");
        const ConvertJob one = simple_job("raw", "source", "qcow2", "target");
        std::vector<std::string> words = {SFG_CONVERT_CLIENT,      SFG_CONVERT_HELPER,      program,
                                          lab_.gluster_host(),     lab_.volume(),           "raw",
                                          one.source[0].file.path, one.source[0].file.gfid, "qcow2",
                                          one.target.file.path,    one.target.file.gfid};
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        int ends[2];
        ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
        posix_spawn_file_actions_t files;
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_adddup2(&files, ends[1], 1);
        ASSERT_EQ(
            posix_spawn(&client_, words[0].c_str(), &files, nullptr, arguments.data(), environ), 0);
        posix_spawn_file_actions_destroy(&files);
        close(ends[1]);
        char byte;
        ASSERT_EQ(read(ends[0], &byte, 1), 1);
        output_ = ends[0];
        tree_ = ProcessTree::of(client_);
        // The client, the helper's three, glusterfs, qemu-img.
        EXPECT_GE(tree_.size(), 6U);
        const pid_t glusterfs = tree_.find("/usr/sbin/glusterfs");
        ASSERT_GT(glusterfs, 0);
        // What it makes in /tmp goes with it.
        EXPECT_NE(text_of("/proc/" + std::to_string(glusterfs) + "/mountinfo").find(" /tmp "),
                  std::string::npos);
        // The mount is seen by the helper's processes, and not by this one.
        const auto who = who_sees_mounts();
        EXPECT_FALSE(who.empty());
        EXPECT_EQ(std::count(who.begin(), who.end(), getpid()), 0);
        const auto helpers = children_of(client_);
        ASSERT_EQ(helpers.size(), 1U);
        helper_ = helpers[0];
    }
    std::string rest_of_output() {
        std::string text;
        char buffer[256];
        for (ssize_t got; (got = read(output_, buffer, sizeof(buffer))) > 0;)
            text.append(buffer, static_cast<std::size_t>(got));
        return text;
    }
    void expect_all_gone() {
        EXPECT_TRUE(comes_true([&] { return tree_.all_gone(); }, seconds(5))) << tree_.left();
        EXPECT_TRUE(comes_true([] { return who_sees_mounts().empty(); }, seconds(5)));
    }
    void TearDown() override {
        if (client_ > 0) {
            kill(client_, SIGKILL);
            waitpid(client_, nullptr, 0);
        }
        if (output_ >= 0) close(output_);
        ConvertTest::TearDown();
    }

    pid_t client_ = -1;
    pid_t helper_ = -1;
    int output_ = -1;
    ProcessTree tree_;
};

TEST_F(ConvertKillTest, NothingIsLeftOfAKilledCaller) {
    replace_qemu_img(kHangs);
    begin(tools_.qemu_img);
    kill(client_, SIGKILL);
    waitpid(client_, nullptr, 0);
    client_ = -1;
    expect_all_gone();
}

TEST_F(ConvertKillTest, NothingIsLeftOfAKilledHelper) {
    replace_qemu_img(kHangs);
    begin(tools_.qemu_img);
    kill(helper_, SIGKILL);
    EXPECT_NE(rest_of_output().find("the converter ended unexpectedly by signal 9"),
              std::string::npos);
    waitpid(client_, nullptr, 0);
    client_ = -1;
    expect_all_gone();
}

TEST_F(ConvertKillTest, NothingIsLeftOfAKilledKeeper) {
    replace_qemu_img(kHangs);
    begin(tools_.qemu_img);
    const auto keepers = children_of(helper_);
    ASSERT_EQ(keepers.size(), 1U);
    kill(keepers[0], SIGKILL);
    EXPECT_NE(rest_of_output().find("the converter ended unexpectedly"), std::string::npos);
    waitpid(client_, nullptr, 0);
    client_ = -1;
    expect_all_gone();
}

TEST_F(ConvertKillTest, AKilledGlusterfsIsAnError) {
    replace_qemu_img("printf '    (10.00/100%%)\\r'; sleep 1; exec /usr/bin/qemu-img \"$@\"");
    begin(tools_.qemu_img);
    kill(tree_.find("/usr/sbin/glusterfs"), SIGKILL);
    const std::string said = rest_of_output();
    EXPECT_EQ(said.find("done"), std::string::npos) << said;
    EXPECT_NE(said.find("Transport endpoint is not connected"), std::string::npos) << said;
    waitpid(client_, nullptr, 0);
    client_ = -1;
    expect_all_gone();
}

TEST_F(ConvertKillTest, NothingIsLeftThoughGlusterDoesNotAnswer) {
    // The real qemu-img waits in a call that the silent brick does not answer.
    replace_qemu_img("printf '    (10.00/100%%)\\r'; sleep 1; exec /usr/bin/qemu-img \"$@\"");
    begin(tools_.qemu_img);
    ASSERT_TRUE(lab_.node(1, "pause").ok());
    std::this_thread::sleep_for(seconds(2));
    kill(client_, SIGKILL);
    waitpid(client_, nullptr, 0);
    client_ = -1;
    expect_all_gone();
    ASSERT_TRUE(lab_.node(1, "resume").ok());
}

TEST_F(ConvertTest, ACancelledConversionIsGoneWhenTheCallReturns) {
    make_raw("source", "16M");
    const ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    replace_qemu_img(kHangs);
    std::stop_source stop;
    ProcessTree tree;
    std::thread canceller([&] {
        comes_true([&] { return !percents_.empty(); }, seconds(20));
        tree = ProcessTree::of(getpid());
        stop.request_stop();
    });
    const auto start = Clock::now();
    const auto done = convert(one, stop.get_token());
    canceller.join();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().system_errno(), ECANCELED);
    EXPECT_LT(Clock::now() - start, seconds(10));
    EXPECT_GE(tree.size(), 6U);
    EXPECT_TRUE(children_of(getpid()).empty());
    EXPECT_TRUE(who_sees_mounts().empty());
}

TEST_F(ConvertTest, WhatDoesNotMoveIsEnded) {
    make_raw("source", "16M");
    ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    tools_.stall_limit = milliseconds(3000);
    replace_qemu_img(kHangs);
    const Error error = expect_refused(one);
    EXPECT_EQ(error.kind(), ErrorKind::not_connected);
    EXPECT_EQ(error.message(), "nothing has moved for 3 s");
    // Slow work is none of that: bytes go by, though no percentage does.
    one = simple_job("raw", "source", "qcow2", "slow");
    replace_qemu_img(
        "for i in 1 2 3 4 5 6 7 8 9; do head -c 1000 /dev/urandom >/dev/null; sleep 1; "
        "cat /dev/null; done; exec /usr/bin/qemu-img \"$@\"");
    expect_converted(one);
}

TEST_F(ConvertTest, AFullBrickIsNoSpace) {
    const std::string small = lab_.extra_volume("small", {"--brick-size", "64M"});
    ASSERT_TRUE(shell("truncate -s 200M " + local_ + "/big && dd if=/dev/urandom of=" + local_ +
                      "/big bs=1M count=100 conv=notrunc status=none")
                    .ok());
    for (const char* const format : {"raw", "qcow2"}) {
        make_empty("target", small);
        ConvertJob one;
        one.volumes = {{small, {{lab_.gluster_host(), 0}}}};
        one.source = {{"raw", {std::nullopt, local_ + "/big", ""}}};
        one.target.format = format;
        one.target.file = {0, directory_ + "/target", gfid_of(seen("target", small))};
        const Error error = expect_refused(one);
        EXPECT_EQ(error.kind(), ErrorKind::no_space) << error.message();
        EXPECT_EQ(error.system_errno(), ENOSPC);
        in_shell("rm -f target", small);
    }
}

TEST_F(ConvertTest, ADamagedSourceIsAnErrorInQemusWords) {
    in_shell("head -c 100000 /dev/urandom > source");
    const Error error = expect_refused(simple_job("qcow2", "source", "raw", "target"));
    EXPECT_EQ(error.message(), "reading '" + directory_ + "/source': qemu-img: Could not open '" +
                                   directory_ + "/source': Image is not in qcow2 format");
}

TEST_F(ConvertTest, ATargetThatFailsItsCheckIsAnError) {
    make_raw("source", "16M");
    const ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    // A refcount table of nothing, behind the back of a qemu-img that says all is well.
    replace_qemu_img(
        "/usr/bin/qemu-img \"$@\" || exit\n"
        "for word; do :; done\n"
        "f=${word#*filename\\\":\\\"}; f=${f%%\\\"*}\n"
        "printf '%065536d' 0 | tr 0 '\\000' | dd of=$f bs=65536 seek=1 iflag=fullblock "
        "conv=notrunc status=none");
    const Error error = expect_refused(one);
    EXPECT_NE(error.message().find("checking the result"), std::string::npos) << error.message();
}

TEST_F(ConvertTest, MissingProgramsAreNamedWithTheirPackages) {
    make_raw("source", "16M");
    const ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    tools_.qemu_img = "/usr/bin/no-qemu-img";
    Error error = expect_refused(one);
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_NE(error.message().find("qemu-utils"), std::string::npos) << error.message();
    tools_ = {};
    tools_.helper = SFG_CONVERT_HELPER;
    tools_.glusterfs = "/usr/sbin/no-glusterfs";
    error = expect_refused(one);
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_NE(error.message().find("glusterfs-client"), std::string::npos) << error.message();
}

TEST_F(ConvertTest, WhatCannotBeMountedIsNotConnected) {
    make_raw("source", "16M");
    ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    one.volumes[0].volume = "no-such-volume";
    Error error = expect_refused(one);
    EXPECT_EQ(error.kind(), ErrorKind::not_connected) << error.message();
    EXPECT_NE(error.message().find("no-such-volume"), std::string::npos) << error.message();

    one = simple_job("raw", "source", "qcow2", "target");
    one.volumes[0].servers = {{lab_.silent_host(), 0}};
    tools_.mount_limit = milliseconds(3000);
    const auto start = Clock::now();
    error = expect_refused(one);
    EXPECT_EQ(error.kind(), ErrorKind::not_connected) << error.message();
    EXPECT_NE(error.message().find(lab_.silent_host()), std::string::npos) << error.message();
    EXPECT_LT(Clock::now() - start, seconds(15));
}

TEST_F(ConvertTest, TheNextServerIsTriedWhenOneRefuses) {
    make_raw("source", "16M");
    ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    one.volumes[0].servers = {{"no-such-host.invalid", 0}, {lab_.gluster_host(), 0}};
    expect_converted(one);
}

}  // namespace
}  // namespace sfg::test
