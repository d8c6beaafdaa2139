// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/catalogue.hpp"

#include "driver/volumes/names.hpp"

namespace sfg {
namespace {

bool same(const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

Catalogue& Catalogue::instance() {
    static auto* const catalogue = new Catalogue;  // never destroyed: threads may outlive main
    return *catalogue;
}

std::shared_ptr<const ImageInfo> Catalogue::cached_image(const std::string& volume_id,
                                                         const Gfid& gfid, const struct stat& now) {
    const std::lock_guard held(mutex_);
    const auto volume = volumes_.find(volume_id);
    if (volume == volumes_.end()) return nullptr;
    const auto found = volume->second.images.find(gfid);
    if (found == volume->second.images.end()) return nullptr;
    Image& image = found->second;
    if (image.size != now.st_size || !same(image.modified, now.st_mtim)) return nullptr;
    if (!image.changed) image.changed = now.st_ctim;
    if (!same(*image.changed, now.st_ctim)) return nullptr;
    return image.info;
}

void Catalogue::cache_image(const Object& file, std::shared_ptr<const ImageInfo> info) {
    const struct stat& now = file.stat();
    const std::lock_guard held(mutex_);
    volumes_[file.connection()->volume_id()].images.insert_or_assign(
        file.gfid(), Image{now.st_size, now.st_mtim, now.st_ctim, std::move(info)});
}

void Catalogue::cache_built_image(const std::string& volume_id, const Gfid& gfid, off_t size,
                                  const timespec& modified, std::shared_ptr<const ImageInfo> info) {
    const std::lock_guard held(mutex_);
    volumes_[volume_id].images.insert_or_assign(
        gfid, Image{size, modified, std::nullopt, std::move(info)});
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
    volume.images.erase(found->second.gfid);
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
    std::erase_if(volume.images, [&](const auto& image) { return !present.contains(image.first); });
}

}  // namespace sfg
