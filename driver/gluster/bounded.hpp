// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
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

// When bounded work last showed that gluster answers.
class Life {
  public:
    using Clock = std::chrono::steady_clock;
    void show() { last_ = Clock::now().time_since_epoch().count(); }
    Clock::time_point last() const { return Clock::time_point(Clock::duration(last_)); }

  private:
    std::atomic<Clock::rep> last_ = Clock::now().time_since_epoch().count();
};

// To be called in work that takes long while gluster answers, such as looking through a pool: who
// waits for it begins to count anew. Nothing where the thread's work is not bounded.
void show_life();
void set_life_of_this_thread(std::shared_ptr<Life> life);

// Runs `work`, which asks the volume at `address`, on a thread and waits until there was no sign of
// life for `limit`. `work` must own all that it uses: it may go on after this has returned with
// ErrorKind::not_connected, and what it does may still happen.
template <typename T>
Result<T> run_bounded(const VolumeAddress& address, const std::string& who,
                      std::chrono::milliseconds limit, std::function<Result<T>()> work) {
    struct State {
        std::mutex mutex;
        std::condition_variable done;
        std::optional<Result<T>> outcome;
        std::shared_ptr<Life> life = std::make_shared<Life>();
    };
    SFG_TRY(check_not_hung(address, who));
    const auto state = std::make_shared<State>();
    std::thread([state, work = std::move(work)] {
        std::optional<Result<T>> outcome;
        set_life_of_this_thread(state->life);
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
    while (!state->outcome) {
        const auto last = state->life->last();
        if (state->done.wait_until(held, last + limit) == std::cv_status::timeout &&
            !state->outcome && state->life->last() == last) {
            remember_hung(address, state);
            return has_not_answered(address, who, limit);
        }
    }
    return *std::move(state->outcome);
}

}  // namespace sfg
