// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/catalogue.hpp"

#include "driver/images/header_cache.hpp"

namespace sfg {

Catalogue& Catalogue::instance() {
    static auto* const catalogue = new Catalogue;  // never destroyed: threads may outlive main
    return *catalogue;
}

std::vector<Catalogue::Key> Catalogue::lists_of(const std::string& volume_id) const {
    std::vector<Key> keys;
    for (const auto& [key, list] : lists_)
        if (key.volume_id == volume_id) keys.push_back(key);
    return keys;
}

// Of files that no pool lists any more.
void Catalogue::drop_headers(const std::string& volume_id) {
    std::unordered_set<Gfid> present;
    for (const auto& key : lists_of(volume_id))
        for (const auto& [path, entry] : lists_[key])
            if (!entry.deleted) present.insert(entry.file.gfid);
    HeaderCache::instance().keep_only(volume_id, present);
}

std::optional<Gfid> Catalogue::listed(const Key& pool, const std::string& path) {
    const std::lock_guard held(mutex_);
    const auto files = lists_.find(pool);
    if (files == lists_.end()) return std::nullopt;
    const auto found = files->second.find(path);
    if (found == files->second.end()) return std::nullopt;
    return found->second.file.gfid;
}

NamedFiles Catalogue::listed_anywhere(const std::string& volume_id, const std::string& path) {
    const std::lock_guard held(mutex_);
    NamedFiles found;
    for (const auto& key : lists_of(volume_id)) {
        const auto& files = lists_[key];
        if (const auto file = files.find(path); file != files.end() && !file->second.deleted)
            found.emplace_back(key.pool, file->second.file);
    }
    return found;
}

NamedFiles Catalogue::dependent_images(const std::string& volume_id) {
    const std::lock_guard held(mutex_);
    NamedFiles found;
    for (const auto& key : lists_of(volume_id))
        for (const auto& [path, entry] : lists_[key])
            if (!entry.deleted && entry.file.image != nullptr &&
                names_further_files(*entry.file.image))
                found.emplace_back(path, entry.file);
    return found;
}

std::vector<Catalogue::ListedFile> Catalogue::images_elsewhere(
    const std::string& volume_id, bool (*wanted)(const ImageInfo& image)) {
    const std::lock_guard held(mutex_);
    std::vector<ListedFile> found;
    for (const auto& [key, list] : lists_) {
        if (key.volume_id == volume_id) continue;
        for (const auto& [path, entry] : list)
            if (!entry.deleted && entry.file.image != nullptr && wanted(*entry.file.image))
                found.push_back({key.pool, key.volume_id, path, entry.file});
    }
    for (const auto& [key, files] : stopped_) {
        if (key.volume_id == volume_id) continue;
        for (const auto& [path, file] : files)
            if (wanted(*file.file.image)) found.push_back(file);
    }
    return found;
}

void Catalogue::made(const Key& pool, const std::string& path, const KnownFile& file) {
    const std::lock_guard held(mutex_);
    lists_[pool].insert_or_assign(path, Entry{file, ++moments_});
}

void Catalogue::seen(const Key& pool, const std::string& path, const KnownFile& file) {
    const std::lock_guard held(mutex_);
    auto& files = lists_[pool];
    const auto known = files.find(path);
    if (known != files.end() && known->second.file.gfid != file.gfid) return;
    files.insert_or_assign(path, Entry{file, ++moments_});
}

void Catalogue::deleted(const std::string& volume_id, const std::string& path, const Gfid& gfid) {
    const std::lock_guard held(mutex_);
    for (const auto& key : lists_of(volume_id)) {
        auto& files = lists_[key];
        const auto found = files.find(path);
        if (found == files.end() || found->second.file.gfid != gfid) continue;
        found->second.deleted = true;
        found->second.learned = ++moments_;
    }
    HeaderCache::instance().erase(volume_id, gfid);
}

void Catalogue::note_failed_creation(const std::string& pool, const std::string& volume) {
    const std::lock_guard held(mutex_);
    failed_creations_[pool].insert(volume);
}

bool Catalogue::take_failed_creation(const std::string& pool, const std::string& volume) {
    const std::lock_guard held(mutex_);
    return failed_creations_[pool].erase(volume) > 0;
}

std::uint64_t Catalogue::begin_refresh() {
    const std::lock_guard held(mutex_);
    return ++moments_;
}

NamedFiles Catalogue::replace(const Key& pool, std::uint64_t since, const NamedFiles& files,
                              bool complete) {
    const std::lock_guard held(mutex_);
    auto& list = lists_[pool];
    if (complete) stopped_.erase(pool);
    failed_creations_.erase(pool.pool);
    std::unordered_set<std::string> shown;
    bool gone = false;
    for (const auto& [path, file] : files) {
        shown.insert(path);
        const auto known = list.find(path);
        // Made or looked at after the listing passed it?
        if (known != list.end() && known->second.learned > since) continue;
        gone = gone || (known != list.end() && known->second.file.gfid != file.gfid);
        list.insert_or_assign(path, Entry{file, since});
    }
    NamedFiles kept;
    if (!complete) {
        for (const auto& [path, entry] : list)
            if (!entry.deleted && entry.learned <= since && !shown.contains(path))
                kept.emplace_back(path, entry.file);
        return kept;
    }
    gone = std::erase_if(list,
                         [&](const auto& known) {
                             return known.second.learned <= since && !shown.contains(known.first);
                         }) > 0 ||
           gone;
    if (gone) drop_headers(pool.volume_id);
    return kept;
}

void Catalogue::forget(const std::string& pool) {
    const std::lock_guard held(mutex_);
    for (const auto& [key, list] : lists_) {
        if (key.pool != pool) continue;
        auto& kept = stopped_[key];
        for (const auto& [path, entry] : list)
            if (!entry.deleted && entry.file.image != nullptr &&
                names_further_files(*entry.file.image))
                kept.insert_or_assign(path, ListedFile{pool, key.volume_id, path, entry.file});
        if (kept.empty()) stopped_.erase(key);
    }
    std::erase_if(lists_, [&](const auto& list) { return list.first.pool == pool; });
    failed_creations_.erase(pool);
}

Catalogue::Key key_of(const OpenPool& pool) {
    return {pool.pool.name, pool.volume_id()};
}

}  // namespace sfg
