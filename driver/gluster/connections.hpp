// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"
#include "driver/gluster/connection.hpp"

namespace sfg {

// All gluster connections of this process: one per gluster volume, however many addresses lead to
// it and however many pools use it. Thread-safe.
class Connections {
  public:
    // The process's own; it is made at the first call and never destroyed, so that it needs no
    // order among the destructors that run while threads still work.
    static Connections& instance();

    // The connection to the volume at `address`, made if there is none. Waits for `limit` at the
    // most; what is not connected by then goes on in the background and may serve the next call.
    // Where gluster itself has just said no (the volume is stopped, say), its answer is given again
    // for a second, and for longer each time, up to 16 s: each attempt costs memory that gluster
    // does not give back, and libvirt's clients may ask every few seconds.
    Result<std::shared_ptr<Connection>> get(const VolumeAddress& address,
                                            std::chrono::milliseconds limit);

    // For a caller to whom `dead` has just said "not connected": a connection made anew, or the
    // one that somebody else made meanwhile.
    Result<std::shared_ptr<Connection>> replace(const VolumeAddress& address,
                                                const std::shared_ptr<Connection>& dead,
                                                std::chrono::milliseconds limit);

  private:
    struct Attempt;  // one thread that connects, and those who wait for it

    Result<std::shared_ptr<Connection>> wait(std::unique_lock<std::mutex>& held,
                                             const VolumeAddress& address,
                                             const std::shared_ptr<Attempt>& attempt,
                                             std::chrono::milliseconds limit);
    std::shared_ptr<Attempt> begin(const VolumeAddress& address, std::chrono::milliseconds limit);
    void finish(const VolumeAddress& address, const std::shared_ptr<Attempt>& attempt,
                Result<std::shared_ptr<Connection>> outcome);

    std::mutex mutex_;
    std::map<VolumeAddress, std::shared_ptr<Connection>> by_address_;
    std::map<std::string, std::shared_ptr<Connection>> by_volume_id_;
    std::map<VolumeAddress, std::shared_ptr<Attempt>> attempts_;  // under way

    struct Failure {
        Error error;
        std::chrono::steady_clock::time_point until;
        std::chrono::seconds pause;
    };
    std::optional<Error> recent_failure(const VolumeAddress& address) const;
    void note_failure(const VolumeAddress& address, const Error& error);
    std::map<VolumeAddress, Failure> failures_;
};

}  // namespace sfg
