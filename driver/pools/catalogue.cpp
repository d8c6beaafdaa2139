// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/catalogue.hpp"

#include "driver/core/path.hpp"
#include "driver/images/header_cache.hpp"

namespace sfg {
Catalogue& Catalogue::instance() {
    static auto* const catalogue = new Catalogue;  // never destroyed: threads may outlive main
    return *catalogue;
}

std::optional<Gfid> Catalogue::known(const std::string& volume_id, const std::string& path) {
    const std::lock_guard held(mutex_);
    auto& files = volumes_[volume_id].files;
    const auto found = files.find(path);
    if (found == files.end()) return std::nullopt;
    return found->second.gfid;
}

void Catalogue::learn(const std::string& volume_id, const std::string& path, const Gfid& gfid) {
    const std::lock_guard held(mutex_);
    auto& volume = volumes_[volume_id];
    volume.files.insert_or_assign(path, File{gfid, ++moments_});
    volume.failed_creations.erase(path);
}

void Catalogue::forget(const std::string& volume_id, const std::string& path) {
    const std::lock_guard held(mutex_);
    auto& volume = volumes_[volume_id];
    const auto found = volume.files.find(path);
    if (found == volume.files.end()) return;
    HeaderCache::instance().erase(volume_id, found->second.gfid);
    volume.files.erase(found);
}

void Catalogue::note_failed_creation(const std::string& volume_id, const std::string& path) {
    const std::lock_guard held(mutex_);
    volumes_[volume_id].failed_creations.insert(path);
}

bool Catalogue::take_failed_creation(const std::string& volume_id, const std::string& path) {
    const std::lock_guard held(mutex_);
    return volumes_[volume_id].failed_creations.erase(path) > 0;
}

std::uint64_t Catalogue::begin_refresh() {
    const std::lock_guard held(mutex_);
    return ++moments_;
}

void Catalogue::replace_below(const std::string& volume_id, const std::string& directory,
                              std::uint64_t since,
                              const std::vector<std::pair<std::string, Gfid>>& files) {
    const std::lock_guard held(mutex_);
    auto& volume = volumes_[volume_id];
    std::erase_if(volume.failed_creations,
                  [&](const auto& path) { return is_below(path, directory); });
    bool changed = false;
    for (const auto& [path, gfid] : files) {
        auto& file = volume.files[path];
        if (file.learned > since) continue;  // made or looked at after the listing passed it
        changed = changed || file.gfid != gfid;
        file = {gfid, since};
    }
    changed =
        std::erase_if(volume.files,
                      [&](const auto& known) {
                          return known.second.learned < since && is_below(known.first, directory);
                      }) > 0 ||
        changed;
    if (!changed) return;

    std::unordered_set<Gfid> present;
    present.reserve(volume.files.size());
    for (const auto& [path, file] : volume.files) present.insert(file.gfid);
    HeaderCache::instance().keep_only(volume_id, present);
}

}  // namespace sfg
