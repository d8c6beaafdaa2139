// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace sfg {

// How much of an upload may be on its way: as much as the storage confirms in kConfirmGoal, as
// measured by how long what was confirmed last has been on its way. Small to begin with. Not
// thread-safe.
class Window {
  public:
    using Clock = std::chrono::steady_clock;

    // A finished stream has a second (kFinishLimit), of which some goes on completing the upload.
    static constexpr std::chrono::milliseconds kConfirmGoal{400};
    static constexpr std::uint64_t kLeast = 128 << 10;
    static constexpr std::uint64_t kFirst = 1 << 20;
    static constexpr std::uint64_t kMost = 256 << 20;

    std::uint64_t bytes() const { return bytes_; }

    // So many bytes were taken from the client, and so many of them confirmed (the oldest ones).
    void took(std::uint64_t bytes, Clock::time_point now);
    void confirmed(std::uint64_t bytes, Clock::time_point now);

  private:
    struct Part {
        std::uint64_t end;  // of all that was taken
        Clock::time_point taken;
    };

    std::uint64_t bytes_ = kFirst;
    std::uint64_t taken_ = 0;
    std::uint64_t confirmed_ = 0;
    std::deque<Part> on_their_way_;
};

}  // namespace sfg
