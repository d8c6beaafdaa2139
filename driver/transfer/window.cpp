// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/window.hpp"

#include <algorithm>

namespace sfg {
namespace {

// Bytes that were taken within so long are told apart by nothing.
constexpr std::chrono::milliseconds kApart{5};

}  // namespace

void Window::took(std::uint64_t bytes, Clock::time_point now) {
    if (bytes == 0) return;
    taken_ += bytes;
    if (!on_their_way_.empty() && now - on_their_way_.back().taken < kApart)
        on_their_way_.back().end = taken_;
    else
        on_their_way_.push_back({taken_, now});
}

void Window::confirmed(std::uint64_t bytes, Clock::time_point now) {
    if (bytes == 0 || on_their_way_.empty()) return;
    const std::uint64_t were_on_their_way = taken_ - confirmed_;
    const auto oldest = now - on_their_way_.front().taken;
    confirmed_ += bytes;
    while (!on_their_way_.empty() && on_their_way_.front().end <= confirmed_)
        on_their_way_.pop_front();
    if (oldest > kConfirmGoal) {
        const double share = std::chrono::duration<double>(kConfirmGoal) / oldest;
        bytes_ = static_cast<std::uint64_t>(static_cast<double>(bytes_) * share * 0.75);
    } else if (oldest <= kConfirmGoal / 2 && were_on_their_way >= bytes_ / 2) {
        // As much as could be was on its way, and it was no burden.
        bytes_ *= 2;
    }
    bytes_ = std::clamp(bytes_, kLeast, kMost);
}

}  // namespace sfg
