// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/bounded.hpp"

#include <cerrno>
#include <map>
#include <vector>

namespace sfg {
namespace {

struct Hung {
    std::mutex mutex;
    std::map<VolumeAddress, std::vector<std::weak_ptr<void>>> work;

    static Hung& instance() {
        static auto* const hung = new Hung;  // never destroyed: threads may outlive main
        return *hung;
    }
};

thread_local std::shared_ptr<Life> life_of_this_thread;

}  // namespace

void show_life() {
    if (life_of_this_thread) life_of_this_thread->show();
}

void set_life_of_this_thread(std::shared_ptr<Life> life) {
    life_of_this_thread = std::move(life);
}

Result<void> check_not_hung(const VolumeAddress& address, const std::string& who) {
    auto& hung = Hung::instance();
    const std::lock_guard held(hung.mutex);
    const auto found = hung.work.find(address);
    if (found == hung.work.end()) return {};
    std::erase_if(found->second, [](const auto& work) { return work.expired(); });
    if (found->second.empty()) {
        hung.work.erase(found);
        return {};
    }
    return Error(
        ErrorKind::not_connected, ETIMEDOUT,
        who + ": gluster volume '" + address.volume + "' still does not answer an earlier call");
}

void remember_hung(const VolumeAddress& address, std::weak_ptr<void> work) {
    auto& hung = Hung::instance();
    const std::lock_guard held(hung.mutex);
    hung.work[address].push_back(std::move(work));
}

Error has_not_answered(const VolumeAddress& address, const std::string& who,
                       std::chrono::milliseconds limit) {
    return Error(ErrorKind::not_connected, ETIMEDOUT,
                 who + ": gluster volume '" + address.volume + "' has not answered for " +
                     std::to_string(limit.count()) +
                     " ms; what was asked for may still happen when it does");
}

}  // namespace sfg
