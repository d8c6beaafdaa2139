// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/integration/random/operation.hpp"

namespace sfg::test::random {

// Every call and its outcome: in memory for the model, and in a file as it goes. Thread-safe.
class Journal {
  public:
    explicit Journal(const std::string& path);

    // Gives the call its number and writes it down.
    void begin(Operation& operation);
    void end(Operation& operation);
    void note(const std::string& text);

    // Those that began since the last time; all have ended, or never will.
    std::vector<Operation> take();
    // How long the oldest call that has not ended has been going on.
    std::chrono::seconds oldest() const;

    std::string tail(std::size_t lines) const;
    std::string line_of(const Operation& operation) const;

  private:
    void write(const std::string& line);
    double seconds(Time time) const;

    const Time started_ = Clock::now();
    const std::string path_;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
    mutable std::mutex mutex_;
    int next_ = 1;
    std::vector<Operation> operations_;
};

}  // namespace sfg::test::random
