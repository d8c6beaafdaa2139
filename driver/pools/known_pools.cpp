// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/known_pools.hpp"

#include <algorithm>

namespace sfg {

KnownPools& KnownPools::instance() {
    static auto* const pools = new KnownPools;  // never destroyed: threads may outlive main
    return *pools;
}

void KnownPools::add(const Pool& pool) {
    const std::lock_guard held(mutex_);
    pools_.insert_or_assign(pool.name, pool);
    stopped_.erase(pool.name);
}

void KnownPools::remove(const std::string& name) {
    const std::lock_guard held(mutex_);
    if (auto found = pools_.extract(name)) stopped_.insert_or_assign(name, found.mapped());
}

void KnownPools::forget(const Pool& pool) {
    const std::lock_guard held(mutex_);
    for (auto* const pools : {&pools_, &stopped_})
        if (const auto found = pools->find(pool.name);
            found != pools->end() && found->second == pool)
            pools->erase(found);
}

std::optional<VolumeAddress> KnownPools::address_for(const std::string& volume,
                                                     const Server& server) {
    const std::lock_guard held(mutex_);
    std::optional<VolumeAddress> other_volume;
    for (const auto& [name, pool] : pools_) {
        if (!has_server(pool.address.servers, server)) continue;
        if (pool.address.volume == volume) return pool.address;
        other_volume = VolumeAddress{volume, pool.address.servers};
    }
    return other_volume;
}

std::optional<VolumeAddress> KnownPools::pool_for(const std::string& volume, const Server& server) {
    const std::lock_guard held(mutex_);
    for (const auto& [name, pool] : pools_)
        if (pool.address.volume == volume && has_server(pool.address.servers, server))
            return pool.address;
    return std::nullopt;
}

std::vector<VolumeAddress> KnownPools::volumes_named(const std::string& volume) {
    const std::lock_guard held(mutex_);
    std::vector<VolumeAddress> found;
    for (const auto& [name, pool] : pools_)
        if (pool.address.volume == volume) found.push_back(pool.address);
    return found;
}

std::vector<Pool> KnownPools::all() {
    const std::lock_guard held(mutex_);
    std::vector<Pool> found;
    for (const auto& [name, pool] : pools_) found.push_back(pool);
    return found;
}

std::vector<Pool> KnownPools::all_ever() {
    const std::lock_guard held(mutex_);
    std::vector<Pool> found;
    for (const auto* const pools : {&pools_, &stopped_})
        for (const auto& [name, pool] : *pools) found.push_back(pool);
    return found;
}

}  // namespace sfg
