// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/connections.hpp"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <optional>
#include <thread>

namespace sfg {
namespace {

// A replicated volume of which a brick does not answer says that it is up after ten seconds, by a
// timer of its own (afr-common.c, afr_launch_notify_timer): as long as our limit is by default, so
// a caller whose server has answered waits a little longer.
constexpr std::chrono::seconds kForReplicas{5};

constexpr std::chrono::seconds kLongestPause{16};
constexpr std::chrono::minutes kFailuresAreKept{5};

// One spelling of an address.
VolumeAddress canonical(VolumeAddress address) {
    for (auto& server : address.servers)
        if (server.port == kGlusterdPort) server.port = 0;
    return address;
}

}  // namespace

struct Connections::Attempt {
    std::condition_variable done;
    std::chrono::steady_clock::time_point deadline;              // for those who wait; under mutex_
    bool reached = false;                                        // a server; under mutex_
    std::optional<Result<std::shared_ptr<Connection>>> outcome;  // set once, under mutex_
};

Connections& Connections::instance() {
    static auto* const connections = new Connections;
    return *connections;
}

std::optional<Error> Connections::recent_failure(const VolumeAddress& address) const {
    const auto found = failures_.find(address);
    if (found == failures_.end()) return std::nullopt;
    const auto left = found->second.until - std::chrono::steady_clock::now();
    if (left <= left.zero()) return std::nullopt;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
    const Error& error = found->second.error;
    return Error(
        error.kind(), error.system_errno(),
        error.message() + " (asked a moment ago, and again in " + std::to_string(seconds) + " s)");
}

void Connections::note_failure(const VolumeAddress& address, const Error& error) {
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(failures_,
                  [&](const auto& entry) { return now - entry.second.until > kFailuresAreKept; });
    const auto before = failures_.find(address);
    const auto pause = before == failures_.end()
                           ? std::chrono::seconds(1)
                           : std::min(kLongestPause, 2 * before->second.pause);
    failures_.insert_or_assign(address, Failure{error, now + pause, pause});
}

Result<std::shared_ptr<Connection>> Connections::get(const VolumeAddress& given,
                                                     std::chrono::milliseconds limit) {
    static const pid_t maker = getpid();
    // A fork copies the mutex as it is, perhaps held by a thread that the child does not have.
    if (getpid() != maker)
        return Error(ErrorKind::unsupported,
                     "gluster volume '" + given.volume + "' cannot be used from a forked process");

    const VolumeAddress address = canonical(given);
    std::unique_lock held(mutex_);
    if (const auto known = by_address_.find(address); known != by_address_.end())
        return known->second;
    if (auto failure = recent_failure(address)) return *std::move(failure);
    return wait(held, address, begin(address, limit), limit);
}

Result<std::shared_ptr<Connection>> Connections::replace(const VolumeAddress& given,
                                                         const std::shared_ptr<Connection>& dead,
                                                         std::chrono::milliseconds limit) {
    const VolumeAddress address = canonical(given);
    std::unique_lock held(mutex_);
    if (const auto known = by_address_.find(address);
        known != by_address_.end() && known->second != dead)
        return known->second;
    if (auto failure = recent_failure(address)) return *std::move(failure);
    return wait(held, address, begin(address, limit), limit);
}

// With mutex_ held: the attempt that is under way for `address`, or a new one.
std::shared_ptr<Connections::Attempt> Connections::begin(const VolumeAddress& address,
                                                         std::chrono::milliseconds limit) {
    if (const auto running = attempts_.find(address); running != attempts_.end())
        return running->second;
    auto attempt = std::make_shared<Attempt>();
    attempt->deadline = std::chrono::steady_clock::now() + limit;
    const auto reached = [this, attempt, limit] {
        const std::lock_guard held(mutex_);
        attempt->deadline = std::chrono::steady_clock::now() + limit + kForReplicas;
        attempt->reached = true;
    };
    std::thread([this, address, attempt, limit, reached] {
        try {
            finish(address, attempt, Connection::open(address, limit, reached));
        } catch (const std::exception& failure) {
            // An exception that left this thread would end libvirtd.
            const std::lock_guard held(mutex_);
            attempt->outcome.emplace(Error(ErrorKind::io, ENOMEM, failure.what()));
            attempts_.erase(address);
            attempt->done.notify_all();
        }
    }).detach();
    attempts_[address] = attempt;
    return attempt;
}

Result<std::shared_ptr<Connection>> Connections::wait(std::unique_lock<std::mutex>& held,
                                                      const VolumeAddress& address,
                                                      const std::shared_ptr<Attempt>& attempt,
                                                      std::chrono::milliseconds limit) {
    while (!attempt->outcome) {
        // The deadline moves when a server has answered.
        const auto deadline = attempt->deadline;
        if (attempt->done.wait_until(held, deadline) == std::cv_status::timeout &&
            !attempt->outcome && attempt->deadline == deadline)
            return Error(ErrorKind::not_connected, ETIMEDOUT,
                         "gluster volume '" + address.volume + "' has not connected within " +
                             std::to_string(limit.count()) + " ms; it goes on trying, try again");
    }
    return *attempt->outcome;
}

void Connections::finish(const VolumeAddress& address, const std::shared_ptr<Attempt>& attempt,
                         Result<std::shared_ptr<Connection>> outcome) {
    // Connections that this replaces are let go after the lock: closing starts a thread.
    std::shared_ptr<Connection> retired_by_id, retired_by_address;
    const std::lock_guard held(mutex_);
    if (!outcome && attempt->reached) note_failure(address, outcome.error());
    if (outcome) {
        failures_.erase(address);
        auto& by_address = by_address_[address];
        auto& by_id = by_volume_id_[(*outcome)->volume_id()];
        // Another address of the same volume has a connection, and it is not the one that this
        // attempt replaces: share it.
        if (by_id != nullptr && by_id != by_address) {
            retired_by_address = std::exchange(by_address, by_id);
            retired_by_id = *outcome;
            outcome = by_id;
        } else {
            const auto old = by_id;
            retired_by_id = std::exchange(by_id, *outcome);
            retired_by_address = std::exchange(by_address, *outcome);
            if (old != nullptr)
                for (auto& [other, connection] : by_address_)
                    if (connection == old) connection = *outcome;
            // The address may lead to another volume of the same name by now.
            if (retired_by_address != nullptr &&
                retired_by_address->volume_id() != (*outcome)->volume_id())
                by_volume_id_.erase(retired_by_address->volume_id());
        }
    }
    attempt->outcome = std::move(outcome);
    attempts_.erase(address);
    attempt->done.notify_all();
}

}  // namespace sfg
