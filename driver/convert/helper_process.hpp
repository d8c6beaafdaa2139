// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "driver/core/fd.hpp"
#include "driver/core/result.hpp"

namespace sfg {

// The helper as a process, with one socket as its standard input, output and error. It takes the
// end of the socket as the order to end.
class HelperProcess {
  public:
    // Starts `program` with an empty environment and, from kFirstHanded on in their order, those of
    // `handed`; no other descriptor of this process. Safe in a process of many threads: nothing of
    // ours runs between fork and exec.
    static constexpr int kFirstHanded = 3;
    static Result<HelperProcess> start(const std::string& program,
                                       const std::vector<int>& handed = {});

    HelperProcess(HelperProcess&&) = default;
    // Ends it if it runs still.
    ~HelperProcess();

    // Non-blocking; ours.
    int socket() const { return socket_.get(); }

    // Waits until it has ended, for `patience` at the most, then kills it. What waitpid(2) says.
    int end(std::chrono::milliseconds patience);

  private:
    HelperProcess(pid_t pid, Fd socket) : pid_(pid), socket_(std::move(socket)) {}

    struct Pid {  // moves as -1
        pid_t value = -1;
        Pid(pid_t pid) : value(pid) {}  // NOLINT(*-explicit-*)
        Pid(Pid&& other) noexcept : value(std::exchange(other.value, -1)) {}
    };
    Pid pid_;
    Fd socket_;
};

// sfgluster-convert in the directory of the library that this code is in.
std::string default_helper();

}  // namespace sfg
