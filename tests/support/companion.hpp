// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace sfg::test {

// A program that runs beside the test until it is told to end, by closing its standard input, or is
// killed.
class Companion {
  public:
    // Returns when it has said `ready`, or when it ends or does not say so in time.
    Companion(const std::vector<std::string>& words, const std::string& ready);
    ~Companion();  // ends it
    Companion(const Companion&) = delete;
    Companion& operator=(const Companion&) = delete;

    bool is_ready() const { return ready_; }
    const std::string& said() const { return said_; }
    pid_t pid() const { return pid_; }

    void write(const std::string& text);
    // More of its output, until it has said `text`; false when it does not in time.
    bool wait_for(const std::string& text);
    // Closes its standard input and waits for it.
    void end();
    void kill();

  private:
    pid_t pid_ = -1;
    int input_ = -1;
    int output_ = -1;
    bool ready_ = false;
    std::string said_;
};

}  // namespace sfg::test
