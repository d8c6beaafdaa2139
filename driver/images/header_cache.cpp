// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/images/header_cache.hpp"

namespace sfg {
namespace {

bool same(const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

HeaderCache& HeaderCache::instance() {
    static auto* const cache = new HeaderCache;  // never destroyed: threads may outlive main
    return *cache;
}

std::shared_ptr<const ImageInfo> HeaderCache::find(const std::string& volume_id, const Gfid& gfid,
                                                   const struct stat& now) {
    const std::lock_guard held(mutex_);
    const auto volume = volumes_.find(volume_id);
    if (volume == volumes_.end()) return nullptr;
    const auto found = volume->second.find(gfid);
    if (found == volume->second.end()) return nullptr;
    Image& image = found->second;
    if (image.size != now.st_size || !same(image.modified, now.st_mtim)) return nullptr;
    if (!image.changed) image.changed = now.st_ctim;
    if (!same(*image.changed, now.st_ctim)) return nullptr;
    return image.info;
}

std::shared_ptr<const ImageInfo> HeaderCache::last_read(const std::string& volume_id,
                                                        const Gfid& gfid) {
    const std::lock_guard held(mutex_);
    const auto volume = volumes_.find(volume_id);
    if (volume == volumes_.end()) return nullptr;
    const auto found = volume->second.find(gfid);
    return found == volume->second.end() ? nullptr : found->second.info;
}

void HeaderCache::insert(const Object& file, std::shared_ptr<const ImageInfo> info) {
    const struct stat& now = file.stat();
    const std::lock_guard held(mutex_);
    volumes_[file.connection()->volume_id()].insert_or_assign(
        file.gfid(), Image{now.st_size, now.st_mtim, now.st_ctim, std::move(info)});
}

void HeaderCache::insert_built(const std::string& volume_id, const Gfid& gfid, off_t size,
                               const timespec& modified, std::shared_ptr<const ImageInfo> info) {
    const std::lock_guard held(mutex_);
    volumes_[volume_id].insert_or_assign(gfid,
                                         Image{size, modified, std::nullopt, std::move(info)});
}

void HeaderCache::erase(const std::string& volume_id, const Gfid& gfid) {
    const std::lock_guard held(mutex_);
    volumes_[volume_id].erase(gfid);
}

void HeaderCache::keep_only(const std::string& volume_id, const std::unordered_set<Gfid>& present) {
    const std::lock_guard held(mutex_);
    std::erase_if(volumes_[volume_id],
                  [&](const auto& image) { return !present.contains(image.first); });
}

}  // namespace sfg
