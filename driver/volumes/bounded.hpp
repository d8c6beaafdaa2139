// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"

namespace sfg {

// libvirt holds the pool's lock during many calls, and who lists pools waits for it. A brick that
// does not answer holds a gluster call for its ping timeout, 42 seconds by default, several times
// over. So such calls run on a thread of their own, and the caller stops waiting.

// Remembers work that gluster keeps hanging, by volume: while there is some, more of it would only
// hang more threads. An error where there is.
// `who` is the pool or disk that errors are about.
Result<void> check_not_hung(const VolumeAddress& address, const std::string& who);
void remember_hung(const VolumeAddress& address, std::weak_ptr<void> work);

Error has_not_answered(const VolumeAddress& address, const std::string& who,
                       std::chrono::milliseconds limit);

// Runs `work`, which asks the volume at `address`, on a thread and waits for `limit`. `work` must
// own all that it uses: it may go on after this has returned with ErrorKind::not_connected, and
// what it does may still happen.
template <typename T>
Result<T> run_bounded(const VolumeAddress& address, const std::string& who,
                      std::chrono::milliseconds limit, std::function<Result<T>()> work) {
    struct State {
        std::mutex mutex;
        std::condition_variable done;
        std::optional<Result<T>> outcome;
    };
    SFG_TRY(check_not_hung(address, who));
    const auto state = std::make_shared<State>();
    std::thread([state, work = std::move(work)] {
        std::optional<Result<T>> outcome;
        try {
            outcome.emplace(work());
        } catch (const std::exception& failure) {
            outcome.emplace(Error(ErrorKind::io, 0, failure.what()));
        }
        const std::lock_guard held(state->mutex);
        state->outcome = std::move(outcome);
        state->done.notify_all();
    }).detach();
    std::unique_lock held(state->mutex);
    if (!state->done.wait_for(held, limit, [&] { return state->outcome.has_value(); })) {
        remember_hung(address, state);
        return has_not_answered(address, who, limit);
    }
    return *std::move(state->outcome);
}

}  // namespace sfg
