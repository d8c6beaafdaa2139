// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace sfg {

// How much of an upload may be on its way: as much as the storage confirms in kConfirmGoal, as
// measured by how long what was confirmed last has been on its way; small to begin with. Where less
// on its way is confirmed no sooner, since a flush takes its time however little there is, it is as
// much as makes it no longer. Not thread-safe.
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
    // A size that was given up for another, and how long bytes were on their way with it.
    struct Tried {
        std::uint64_t bytes;
        Clock::duration oldest;
    };

    void judge(Clock::duration oldest, bool full);
    void become(std::uint64_t bytes);

    std::uint64_t bytes_ = kFirst;
    std::uint64_t taken_ = 0;
    std::uint64_t confirmed_ = 0;
    std::uint64_t since_ = 0;  // what was taken before the size changed does not tell of it
    std::deque<Part> on_their_way_;
    std::optional<Tried> larger_;              // shrunk from
    std::optional<Tried> smaller_;             // grown from, where flushes take their time
    std::optional<Clock::duration> flushing_;  // what they take then
    int pause_ = 0;                            // so many looks until it is tried to grow again
};

}  // namespace sfg
