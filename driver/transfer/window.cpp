// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/window.hpp"

#include <algorithm>

namespace sfg {
namespace {

// Bytes that were taken within so long are told apart by nothing.
constexpr std::chrono::milliseconds kApart{5};

// How many looks a size stands that could not be exceeded.
constexpr int kPause = 16;

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
    const bool full = taken_ - confirmed_ >= bytes_ / 2;
    const auto oldest = now - on_their_way_.front().taken;
    // Of the first half of a window nothing was before them.
    const bool of_this_size = confirmed_ >= since_ + bytes_ / 2;
    confirmed_ += bytes;
    while (!on_their_way_.empty() && on_their_way_.front().end <= confirmed_)
        on_their_way_.pop_front();
    if (of_this_size) judge(oldest, full);
}

void Window::become(std::uint64_t bytes) {
    bytes_ = std::clamp(bytes, kLeast, kMost);
    since_ = taken_;
}

void Window::judge(Clock::duration oldest, bool full) {
    if (flushing_) {
        if (oldest > *flushing_ * 3 / 2) {  // something else has become slow
            if (smaller_) become(smaller_->bytes);
            pause_ = smaller_ ? kPause : 0;
            if (!smaller_) flushing_.reset();
            smaller_.reset();
            if (flushing_) return;
        } else if (oldest <= kConfirmGoal / 2) {
            flushing_.reset();
            smaller_.reset();
        } else {
            if (smaller_ && oldest > smaller_->oldest * 5 / 4) {
                become(smaller_->bytes);
                pause_ = kPause;
                smaller_.reset();
            } else if (pause_ > 0) {
                --pause_;
            } else if (full) {
                smaller_ = Tried{bytes_, oldest};
                become(bytes_ * 3 / 2);
            }
            return;
        }
    }
    if (oldest > kConfirmGoal) {
        if (larger_ && oldest > larger_->oldest * 4 / 5) {
            // Less was no faster: it is the flush itself.
            become(larger_->bytes);
            flushing_ = oldest;
            larger_.reset();
            return;
        }
        larger_ = Tried{bytes_, oldest};
        const double share = std::chrono::duration<double>(kConfirmGoal) / oldest;
        become(static_cast<std::uint64_t>(static_cast<double>(bytes_) * share * 0.75));
        return;
    }
    larger_.reset();
    if (!full) return;
    // As much as could be was on its way, and it was no burden; or it may be that it was none.
    if (oldest <= kConfirmGoal / 2)
        become(bytes_ * 2);
    else
        flushing_ = oldest;
}

}  // namespace sfg
