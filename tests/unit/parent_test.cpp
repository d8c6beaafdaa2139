// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/parent.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace sfg {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::atomic<int> served = 0;
std::mutex held;  // as a lock of the driver's that a thread of the parent may hold at a fork

Result<void> service(const std::string& request) {
    const std::lock_guard lock(held);
    ++served;
    if (request == "refuse") return Error(ErrorKind::denied, EACCES, "not for you");
    if (request == "throw") throw std::runtime_error("oh");
    if (request == "sleep") std::this_thread::sleep_for(seconds(1));
    return {};
}

// The answers of a child: what it says by its exit status.
int in_child(const std::function<int()>& work) {
    const pid_t child = fork();
    if (child == 0) _exit(work());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class Parent : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        set_parent_service(&service);
        // In a child of a process that has not begun, everything may be done.
        whole_before_ = in_child([] { return enter_process() == Process::whole ? 0 : 1; });
        EXPECT_EQ(enter_process(), Process::whole);
    }
    static int whole_before_;
};
int Parent::whole_before_ = -1;

TEST_F(Parent, AChildOfOneThatHadNotBegunIsWhole) {
    EXPECT_EQ(whole_before_, 0);
}

TEST_F(Parent, AChildMayOnlyAsk) {
    EXPECT_EQ(in_child([] { return enter_process() == Process::child ? 0 : 1; }), 0);
}

TEST_F(Parent, DoesWhatAChildAsksFor) {
    const int before = served;
    EXPECT_EQ(in_child([] { return ask_parent("do", seconds(10)) ? 0 : 1; }), 0);
    EXPECT_EQ(served, before + 1);
}

TEST_F(Parent, TellsWhatWentWrong) {
    EXPECT_EQ(in_child([] {
                  const auto answer = ask_parent("refuse", seconds(10));
                  return !answer && answer.error().kind() == ErrorKind::denied &&
                                 answer.error().system_errno() == EACCES &&
                                 answer.error().message() == "not for you"
                             ? 0
                             : 1;
              }),
              0);
    EXPECT_EQ(in_child([] {
                  const auto answer = ask_parent("throw", seconds(10));
                  return !answer && answer.error().message() == "oh" ? 0 : 1;
              }),
              0);
}

TEST_F(Parent, IsNotWaitedForWithoutEnd) {
    EXPECT_EQ(in_child([] {
                  const auto answer = ask_parent("sleep", milliseconds(50));
                  return !answer && answer.error().system_errno() == ETIMEDOUT ? 0 : 1;
              }),
              0);
    EXPECT_EQ(in_child([] {
                  const auto answer = ask_parent(std::string(100'000, 'x'), seconds(10));
                  return !answer && answer.error().kind() == ErrorKind::invalid ? 0 : 1;
              }),
              0);
}

// What a child of libvirtd would hang at for ever.
TEST_F(Parent, ALockThatAThreadHoldsAtTheForkHangsNoChild) {
    std::atomic<bool> release = false, locked = false;
    std::thread holder([&] {
        const std::lock_guard lock(held);
        locked = true;
        while (!release) std::this_thread::sleep_for(milliseconds(1));
    });
    while (!locked) std::this_thread::sleep_for(milliseconds(1));
    std::thread releaser([&] {
        std::this_thread::sleep_for(milliseconds(100));
        release = true;
    });
    EXPECT_EQ(in_child([] { return ask_parent("do", seconds(10)) ? 0 : 1; }), 0);
    holder.join();
    releaser.join();
}

TEST_F(Parent, AnswersManyAtOnce) {
    constexpr int kChildren = 40;
    const int before = served;
    std::vector<pid_t> children;
    for (int i = 0; i < kChildren; ++i) {
        const pid_t child = fork();
        if (child == 0) _exit(ask_parent("do", seconds(20)) ? 0 : 1);
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 1;
        waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(served, before + kChildren);
}

// A program that a child starts keeps nothing of it.
TEST_F(Parent, ItsSocketsAreClosedInPrograms) {
    const int status = in_child([] {
        execl("/bin/sh", "sh", "-c", "ls -l /proc/self/fd | grep -q socket: && exit 1; exit 0",
              nullptr);
        return 2;
    });
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace sfg
