// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/file_use.hpp"

#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "driver/gluster/bounded.hpp"

namespace sfg {
namespace {

// qemu's image locks (block/file-posix.c, RAW_LOCK_PERM_BASE and RAW_LOCK_SHARED_BASE): one byte
// for each permission that a process uses, from 100 on, and one for each that it denies others,
// from 200 on. The second permission is to write (block.h, BLK_PERM_WRITE).
constexpr Extent kQemusBytes{100, 104};
constexpr Extent kQemuWrites{101, 1};
constexpr Extent kQemuMayNotWrite{201, 1};
constexpr Extent kOurs{0, 100};
constexpr Extent kWholeFile{0, 0};

using Key = std::pair<std::string, std::array<unsigned char, 16>>;

struct Entry {
    bool exclusive = false;
    std::multiset<std::string> doing;  // a clause for each holder
};

struct Table {
    std::mutex mutex;
    std::map<Key, Entry> entries;

    static Table& instance() {
        static auto* const table = new Table;  // never destroyed: threads may outlive main
        return *table;
    }
};

void release(const Key& key, const std::string& doing) {
    auto& table = Table::instance();
    const std::lock_guard held(table.mutex);
    const auto found = table.entries.find(key);
    if (found == table.entries.end()) return;
    auto& holders = found->second.doing;
    if (const auto mine = holders.find(doing); mine != holders.end()) holders.erase(mine);
    if (holders.empty()) table.entries.erase(found);
}

Error busy(const std::string& why) {
    return Error(ErrorKind::busy, EBUSY, why);
}

// ETXTBSY where it is a guest.
Error guest_writes() {
    return Error(ErrorKind::busy, ETXTBSY,
                 "a guest, or another qemu program, has it open for writing");
}

// Whose lock is in the way of an exclusive one.
Error in_the_way(File& file) {
    const auto found = file.foreign_lock(kWholeFile);
    if (found && *found && (*found)->offset >= kQemusBytes.offset &&
        (*found)->offset < kQemusBytes.end())
        return Error(ErrorKind::busy, ETXTBSY,
                     "a guest, or another qemu program, has it open over a FUSE mount on this or "
                     "another host");
    return busy("another process, on this or another host, works with it");
}

// Takes the lock that goes with the use.
Result<void> lock(UsedFile& used) {
    const bool exclusive = used.use == FileUse::exclusive;
    const auto locked = exclusive ? used.file.lock(File::Lock::exclusive, kWholeFile)
                                  : used.file.lock(File::Lock::shared, kOurs);
    if (locked || locked.error().kind() != ErrorKind::busy) return locked;
    return exclusive ? in_the_way(used.file)
                     : busy("another process, on this or another host, changes it");
}

// The client has no connection to the brick, or has not opened the file anew yet.
bool is_away(const Error& error) {
    return error.kind() == ErrorKind::not_connected || error.system_errno() == EBADFD ||
           error.system_errno() == EBADF;
}

}  // namespace

Result<FileHold> hold_object(const Object& object, FileUse use, const std::string& doing) {
    const Key key{object.connection()->volume_id(), object.gfid().bytes};
    auto& table = Table::instance();
    const std::lock_guard held(table.mutex);
    Entry& entry = table.entries[key];
    const bool exclusive = use == FileUse::exclusive;
    if (!entry.doing.empty() && (entry.exclusive || exclusive)) return busy(*entry.doing.begin());
    entry.exclusive = exclusive;
    entry.doing.insert(doing);
    return FileHold(nullptr, [key, doing](void*) { release(key, doing); });
}

Result<void> take_again(UsedFile& used) {
    // A client connects anew every three seconds.
    constexpr std::chrono::milliseconds kPatience{5000};
    constexpr std::chrono::milliseconds kPause{250};
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (true) {
        const auto locked = lock(used);
        if (locked || !is_away(locked.error())) return locked;
        if (std::chrono::steady_clock::now() >= deadline)
            return Error(ErrorKind::not_connected, ENOTCONN,
                         "the brick that has it does not answer this host, or has lost it (" +
                             errno_text(locked.error().system_errno()) + "); try again");
        show_life();
        std::this_thread::sleep_for(kPause);
    }
}

Result<UsedFile> use_shared(const Object& object, const std::string& doing) {
    SFG_TRY_ASSIGN(FileHold hold, hold_object(object, FileUse::shared, doing));
    SFG_TRY_ASSIGN(File file, File::open_for_reading(object));
    UsedFile used{std::move(hold), std::move(file), FileUse::shared};
    SFG_TRY(lock(used));
    return used;
}

Result<UsedFile> use_exclusively(const Object& object, const std::string& doing,
                                 ChangeLeave leave) {
    SFG_TRY_ASSIGN(FileHold hold, hold_object(object, FileUse::exclusive, doing));
    SFG_TRY_ASSIGN(File file, File::open_for_writing(object, leave));
    UsedFile used{std::move(hold), std::move(file), FileUse::exclusive};
    SFG_TRY(lock(used));
    return used;
}

Result<void> keep_guests_from_writing(UsedFile& used) {
    // First the lock and then the look, as qemu does it, so that one of two sees the other.
    SFG_TRY(used.file.lock(File::Lock::shared, kQemuMayNotWrite));
    const auto found = used.file.foreign_lock(kQemuWrites);
    if (found && !*found) return {};
    // Or it would be in the way of what the guest does with its disk.
    used.file.unlock(kQemuMayNotWrite);
    return found ? guest_writes() : found.error();
}

Result<bool> is_written_by_guests(UsedFile& used) {
    SFG_TRY_ASSIGN(const auto found, used.file.foreign_lock(kQemuWrites));
    return found.has_value();
}

Result<void> keep_guests_from_writing(LocalFile& file) {
    SFG_TRY(file.lock_shared(kQemuMayNotWrite.offset));
    SFG_TRY_ASSIGN(const bool locked, file.is_locked(kQemuWrites.offset));
    if (locked) return guest_writes();
    return {};
}

}  // namespace sfg
