// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/file_use.hpp"

#include <map>
#include <mutex>

namespace sfg {
namespace {

using Key = std::pair<std::string, std::array<unsigned char, 16>>;

struct Table {
    std::mutex mutex;
    std::map<Key, int> uses;  // how many share it; -1: exclusive

    static Table& instance() {
        static auto* const table = new Table;  // never destroyed: threads may outlive main
        return *table;
    }
};

void release(const Key& key) {
    auto& table = Table::instance();
    const std::lock_guard held(table.mutex);
    const auto found = table.uses.find(key);
    if (found != table.uses.end() && (found->second < 0 || --found->second == 0))
        table.uses.erase(found);
}

}  // namespace

Result<FileHold> hold_file(const Object& file, FileUse use) {
    const Key key{file.connection()->volume_id(), file.gfid().bytes};
    auto& table = Table::instance();
    const std::lock_guard held(table.mutex);
    const auto found = table.uses.find(key);
    const int now = found == table.uses.end() ? 0 : found->second;
    if (now < 0) return Error(ErrorKind::busy, "it is being deleted");
    if (now > 0 && use == FileUse::exclusive)
        return Error(ErrorKind::busy, "a volume that has it as its base is being made");
    table.uses[key] = use == FileUse::exclusive ? -1 : now + 1;
    return FileHold(nullptr, [key](void*) { release(key); });
}

}  // namespace sfg
