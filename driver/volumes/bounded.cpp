// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/bounded.hpp"

#include <cerrno>
#include <map>

namespace sfg {
namespace {

struct Hung {
    std::mutex mutex;
    std::map<VolumeAddress, std::weak_ptr<void>> work;

    static Hung& instance() {
        static auto* const hung = new Hung;  // never destroyed: threads may outlive main
        return *hung;
    }
};

}  // namespace

Result<void> check_not_hung(const Pool& pool) {
    auto& hung = Hung::instance();
    const std::lock_guard held(hung.mutex);
    const auto found = hung.work.find(pool.address);
    if (found == hung.work.end()) return {};
    if (found->second.expired()) {
        hung.work.erase(found);
        return {};
    }
    return Error(ErrorKind::not_connected, ETIMEDOUT,
                 pool.described() + ": gluster volume '" + pool.address.volume +
                     "' still does not answer an earlier call");
}

void remember_hung(const Pool& pool, std::weak_ptr<void> work) {
    auto& hung = Hung::instance();
    const std::lock_guard held(hung.mutex);
    hung.work.insert_or_assign(pool.address, std::move(work));
}

Error has_not_answered(const Pool& pool, std::chrono::milliseconds limit) {
    return Error(ErrorKind::not_connected, ETIMEDOUT,
                 pool.described() + ": gluster volume '" + pool.address.volume +
                     "' has not answered for " + std::to_string(limit.count()) +
                     " ms; what was asked for may still happen when it does");
}

}  // namespace sfg
