// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the hook finds out of its host: which programs it may run, what they answer.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "hooks/host/answer_cache.hpp"
#include "hooks/host/gluster_support.hpp"
#include "hooks/host/trusted_program.hpp"
#include "hooks/host/unprivileged_run.hpp"

namespace sfg::hooks {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// A directory on a path that is root's alone, so not /tmp.
class HookHost : public testing::Test {
  protected:
    void SetUp() override {
        if (getuid() != 0) FAIL() << "needs root: whom files belong to is what is tested";
        fs::remove_all(directory_);
        ASSERT_EQ(mkdir(directory_.c_str(), 0755), 0);
    }
    void TearDown() override { fs::remove_all(directory_); }

    std::string program(const std::string& name, const std::string& script, mode_t mode = 0755) {
        const std::string path = directory_ + "/" + name;
        std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
        chmod(path.c_str(), mode);
        return path;
    }

    const std::string directory_ = "/var/lib/sf-gluster-unit-" + std::to_string(getpid());
};

bool denied(const Result<std::string>& answer) {
    return !answer && answer.error().kind() == ErrorKind::denied;
}

}  // namespace

TEST_F(HookHost, AProgramOfRootsIsTrusted) {
    const auto path = program("qemu", "exit 0");
    EXPECT_EQ(trusted_program(path).value(), path);
    // By a link of root's, such as /usr/bin/kvm, and of merged directories.
    fs::create_symlink(path, directory_ + "/kvm");
    EXPECT_EQ(trusted_program(directory_ + "/kvm").value(), path);
    EXPECT_TRUE(trusted_program("/bin/sh"));
}

TEST_F(HookHost, AProgramThatSomebodyElseCouldHavePutThereIsNot) {
    EXPECT_TRUE(denied(trusted_program(program("group", "", 0775))));
    EXPECT_TRUE(denied(trusted_program(program("all", "", 0757))));
    EXPECT_TRUE(denied(trusted_program(program("none", "", 0644))));
    const auto owned = program("owned", "");
    ASSERT_EQ(chown(owned.c_str(), 65534, 65534), 0);
    EXPECT_TRUE(denied(trusted_program(owned)));
    EXPECT_TRUE(denied(trusted_program(directory_)));

    const auto good = program("good", "");
    fs::create_directory(directory_ + "/open");
    fs::create_symlink(good, directory_ + "/open/link");
    EXPECT_TRUE(trusted_program(directory_ + "/open/link"));
    chmod((directory_ + "/open").c_str(), 0777);
    EXPECT_TRUE(denied(trusted_program(directory_ + "/open/link")));

    fs::create_symlink(good, directory_ + "/theirs");
    ASSERT_EQ(lchown((directory_ + "/theirs").c_str(), 65534, 65534), 0);
    EXPECT_TRUE(denied(trusted_program(directory_ + "/theirs")));
    EXPECT_FALSE(trusted_program(directory_ + "/open/../good"));
    EXPECT_FALSE(trusted_program("qemu"));
    EXPECT_FALSE(trusted_program(""));
    EXPECT_FALSE(trusted_program("/" + std::string(5000, 'a')));
    EXPECT_FALSE(trusted_program(directory_ + "/absent"));
}

TEST_F(HookHost, APrivilegeIsNotKept) {
    const auto said = run_unprivileged(
        {program("who",
                 "id -u; id -G; grep NoNewPrivs /proc/self/status; env | sort; pwd; "
                 "ls /proc/self/fd | wc -l; cat")},
        "input", milliseconds(5000));
    ASSERT_TRUE(said) << said.error().message();
    EXPECT_EQ(said->status, 0);
    EXPECT_NE(said->output.substr(0, 2), "0\n");
    EXPECT_NE(said->output.find("NoNewPrivs:\t1\nLC_ALL=C\n"), std::string::npos) << said->output;
    EXPECT_EQ(said->output.find("HOME="), std::string::npos);
    // The three of them, and the one that ls has for the folder.
    EXPECT_TRUE(said->output.ends_with("/\n4\ninput")) << said->output;
}

TEST_F(HookHost, AProgramThatDoesNotEndIsEnded) {
    const auto begin = std::chrono::steady_clock::now();
    const auto said =
        run_unprivileged({program("hangs", "sleep 1000 & sleep 1000")}, "", milliseconds(200));
    ASSERT_FALSE(said);
    EXPECT_NE(said.error().message().find("has not ended within 200 ms"), std::string::npos);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(HookHost, AProgramThatSaysTooMuchIsHeardInPart) {
    const auto said =
        run_unprivileged({program("talks", "head -c 1000000 /dev/zero; echo no >&2; exit 3")}, "",
                         milliseconds(5000));
    ASSERT_TRUE(said) << said.error().message();
    EXPECT_EQ(said->status, 3);
    EXPECT_EQ(said->output.size(), 65536u);
    EXPECT_EQ(said->errors, "no\n");
}

TEST_F(HookHost, AProgramThatCannotBeStartedIsNoAnswer) {
    const auto said = run_unprivileged({directory_ + "/absent"}, "", milliseconds(5000));
    ASSERT_TRUE(said);
    EXPECT_EQ(said->status, 127);
}

TEST_F(HookHost, AnEmulatorOfAStrangersIsNotRun) {
    const std::string mark = directory_ + "/ran";
    const auto emulator = program("emulator", "touch " + mark + "; echo Gluster connection >&2");
    chmod(directory_.c_str(), 0777);
    const auto support = gluster_support(emulator);
    EXPECT_EQ(support.answer, GlusterSupport::Answer::unknown);
    EXPECT_NE(support.why.find("it was not asked"), std::string::npos) << support.why;
    EXPECT_FALSE(fs::exists(mark));
}

TEST_F(HookHost, AnEmulatorIsAskedAgainWhenItHasChanged) {
    const auto emulator = program("emulator", "echo \"Unknown driver 'gluster'\" >&2; exit 1");
    EXPECT_EQ(gluster_support(emulator).answer, GlusterSupport::Answer::no);
    program("emulator", "echo 'Gluster connection for volume v failed' >&2; exit 1");
    EXPECT_EQ(gluster_support(emulator).answer, GlusterSupport::Answer::yes);
    program("emulator", "echo 'something else' >&2; exit 1");
    EXPECT_EQ(gluster_support(emulator).answer, GlusterSupport::Answer::unknown);
}

TEST_F(HookHost, AnswersAreKeptByRootAlone) {
    const AnswerCache cache(directory_ + "/kept/answers");
    EXPECT_FALSE(cache.find("a"));
    cache.keep("a", "yes");
    cache.keep("ab", "no");
    cache.keep("a", "perhaps");
    EXPECT_EQ(cache.find("a"), "perhaps");
    EXPECT_EQ(cache.find("ab"), "no");
    EXPECT_FALSE(cache.find("b"));
    EXPECT_FALSE(cache.find("a", std::chrono::seconds(-1)));
    EXPECT_EQ(cache.find("a", std::chrono::seconds(60)), "perhaps");
    cache.keep("a\tb", "c");
    EXPECT_FALSE(cache.find("a\tb"));
    for (std::size_t i = 0; i < 2 * AnswerCache::kMost; ++i) cache.keep(std::to_string(i), "x");
    EXPECT_FALSE(cache.find("ab")) << "it grows";
    EXPECT_TRUE(cache.find(std::to_string(2 * AnswerCache::kMost - 1)));
    chmod((directory_ + "/kept/answers").c_str(), 0666);
    EXPECT_FALSE(cache.find(std::to_string(2 * AnswerCache::kMost - 1)));
}

TEST(GlusterSupportWords, AreToldApart) {
    using Answer = GlusterSupport::Answer;
    EXPECT_EQ(read_complaint("-blockdev x: Unknown driver 'gluster'\n"), Answer::no);
    EXPECT_EQ(read_complaint("-blockdev x: Parameter 'driver' does not accept value 'gluster'\n"),
              Answer::no);  // qemu 11.1.3
    EXPECT_EQ(read_complaint("Gluster connection for volume v, path p failed to connect\n"),
              Answer::yes);
    EXPECT_EQ(read_complaint("Supported formats: gluster"), Answer::unknown);
    EXPECT_EQ(read_complaint(""), Answer::unknown);
    EXPECT_EQ(read_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\n"), "7.2.22");
    EXPECT_EQ(read_version("QEMU emulator version 11.1"), "11.1");
    EXPECT_EQ(read_version("?"), "");
}

TEST(GlusterSupportWords, APackageIsNamedWhereThereIsOne) {
    const std::string debian = "NAME=Debian\nID=debian\n";
    EXPECT_EQ(driver_package("7.2.22", debian), "install the package qemu-block-extra");
    EXPECT_EQ(driver_package("8.2.2", "ID=ubuntu\n"),
              "install the package qemu-block-supplemental");
    EXPECT_EQ(driver_package("", "ID_LIKE=debian\n"),
              "install the package that has qemu's block-gluster.so");
    EXPECT_EQ(driver_package("11.0.3", debian), "install the package qemu-block-extra");
    EXPECT_EQ(driver_package("11.1.0", debian), "");
    EXPECT_EQ(driver_package("12.0", debian), "");
}

}  // namespace sfg::hooks
