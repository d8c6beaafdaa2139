// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace sfg {

// How far long work has come: a line in the log every ten seconds, and at the end of what took
// longer than that. Where libvirt has a place for it, which is the allocation of a volume that is
// being built, a volume's URI leads to it. Thread-safe.
class Progress {
  public:
    // "volume 'x' of pool 'y': copied". Without a total (0) only the bytes are told.
    Progress(std::string what, std::uint64_t total_bytes);
    // The same, to be found under `uri` as long as it lives.
    Progress(std::string what, std::uint64_t total_bytes, std::string uri);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void advance(std::uint64_t bytes);
    void set_percent(double percent);

    // Of the build under `uri`; nothing where there is none.
    static std::optional<std::uint64_t> of_build(const std::string& uri);

  private:
    using Clock = std::chrono::steady_clock;
    void tell(const char* word) const;
    void tell_now_and_then();

    const std::string what_;
    const std::uint64_t total_;
    const std::string uri_;
    const std::shared_ptr<std::atomic<std::uint64_t>> done_ =
        std::make_shared<std::atomic<std::uint64_t>>(0);
    const Clock::time_point begun_ = Clock::now();
    std::mutex mutex_;
    Clock::time_point told_ = begun_;
};

}  // namespace sfg
