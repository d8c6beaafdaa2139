// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/hanging_store.hpp"

namespace sfg::test {

void Hangs::hang(Call call, std::uint64_t from) {
    const std::lock_guard held(mutex_);
    hung_[call] = from;
}

void Hangs::release() {
    const std::lock_guard held(mutex_);
    hung_.clear();
    changed_.notify_all();
}

std::size_t Hangs::count(Call call) {
    const std::lock_guard held(mutex_);
    return met_[call].first;
}

std::uint64_t Hangs::bytes(Call call) {
    const std::lock_guard held(mutex_);
    return met_[call].second;
}

int Hangs::hanging() {
    const std::lock_guard held(mutex_);
    return hanging_;
}

bool Hangs::wait_until_hanging(int calls) {
    std::unique_lock held(mutex_);
    return changed_.wait_for(held, std::chrono::seconds(10), [&] { return hanging_ == calls; });
}

void Hangs::enter(Call call, std::uint64_t offset, std::uint64_t length) {
    std::unique_lock held(mutex_);
    auto& [calls, bytes] = met_[call];
    ++calls;
    bytes += length;
    auto hangs = [&] {
        const auto found = hung_.find(call);
        return found != hung_.end() && offset >= found->second;
    };
    if (!hangs()) return;
    ++hanging_;
    changed_.notify_all();
    changed_.wait(held, [&] { return !hangs(); });
    --hanging_;
    changed_.notify_all();
}

}  // namespace sfg::test
