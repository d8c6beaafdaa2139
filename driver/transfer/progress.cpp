// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/progress.hpp"

#include <map>

#include "driver/core/log.hpp"

namespace sfg {
namespace {

constexpr std::chrono::seconds kBetweenLines{10};

struct Builds {
    std::mutex mutex;
    std::map<std::string, std::weak_ptr<std::atomic<std::uint64_t>>> by_uri;

    static Builds& instance() {
        static auto* const builds = new Builds;  // never destroyed: threads may outlive main
        return *builds;
    }
};

}  // namespace

Progress::Progress(std::string what, std::uint64_t total_bytes)
    : Progress(std::move(what), total_bytes, "") {}

Progress::Progress(std::string what, std::uint64_t total_bytes, std::string uri)
    : what_(std::move(what)), total_(total_bytes), uri_(std::move(uri)) {
    if (uri_.empty()) return;
    auto& builds = Builds::instance();
    const std::lock_guard held(builds.mutex);
    builds.by_uri.insert_or_assign(uri_, done_);
}

Progress::~Progress() {
    if (told_ != begun_) tell("in all");
    if (uri_.empty()) return;
    auto& builds = Builds::instance();
    const std::lock_guard held(builds.mutex);
    // Another build of that name may have begun since.
    const auto found = builds.by_uri.find(uri_);
    if (found != builds.by_uri.end() && found->second.lock() == done_) builds.by_uri.erase(found);
}

void Progress::advance(std::uint64_t bytes) {
    *done_ += bytes;
    tell_now_and_then();
}

void Progress::set_percent(double percent) {
    *done_ = static_cast<std::uint64_t>(percent / 100 * static_cast<double>(total_));
    tell_now_and_then();
}

void Progress::tell_now_and_then() {
    const std::lock_guard held(mutex_);
    const auto now = Clock::now();
    if (now - told_ < kBetweenLines) return;
    told_ = now;
    tell("so far");
}

void Progress::tell(const char* word) const {
    const std::uint64_t done = *done_;
    std::string line = what_ + " " + std::to_string(done >> 20) + " MiB " + word;
    if (total_ != 0) line += ", " + std::to_string(done / (total_ / 100 + 1)) + "%";
    log_info(line);
}

std::optional<std::uint64_t> Progress::of_build(const std::string& uri) {
    auto& builds = Builds::instance();
    const std::lock_guard held(builds.mutex);
    const auto found = builds.by_uri.find(uri);
    if (found == builds.by_uri.end()) return std::nullopt;
    const auto done = found->second.lock();
    if (done == nullptr) return std::nullopt;
    return *done;
}

}  // namespace sfg
