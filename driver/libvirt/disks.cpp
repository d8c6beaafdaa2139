// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of contract.h that is about guests' disks.
#include <unistd.h>

#include <algorithm>

#include "driver/disks/disk_file.hpp"
#include "driver/disks/disk_requests.hpp"
#include "driver/libvirt/guarded.hpp"

namespace {

using namespace sfg;

Disk disk_of(const sfg_disk& given) {
    Disk disk;
    disk.address.volume = text_or_empty(given.volume);
    for (std::size_t i = 0; i < given.server_count; ++i) {
        const sfg_disk_server& server = given.servers[i];
        disk.address.servers.push_back(
            {text_or_empty(server.host), server.port, text_or_empty(server.socket)});
    }
    disk.path = text_or_empty(given.path);
    disk.path.erase(0, disk.path.find_first_not_of('/'));
    disk.named_by_image = given.named_by_image;
    return disk;
}

// When the library is loaded: before anything that children are answered by.
[[maybe_unused]] const bool serves_children = [] {
    set_parent_service(&serve_disk_request);
    return true;
}();

}  // namespace

int sfg_disk_connect(const sfg_disk* disk, sfg_error* error) {
    return guarded(
        error, [&] { return connect_disk(disk_of(*disk)); }, [] { return Result<void>(); });
}

int sfg_disk_stat(const sfg_disk* disk, struct stat* stat, sfg_error* error) {
    return guarded(error, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(*stat, stat_disk(disk_of(*disk)));
        return {};
    });
}

ssize_t sfg_disk_read(const sfg_disk* disk, uint64_t offset, char* buffer, size_t size,
                      sfg_error* error) {
    ssize_t count = 0;
    const int done = guarded(error, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const auto bytes, read_disk(disk_of(*disk), offset, size));
        std::memcpy(buffer, bytes.data(), bytes.size());
        count = static_cast<ssize_t>(bytes.size());
        return {};
    });
    return done == 0 ? count : -1;
}

int sfg_disk_access(const sfg_disk* disk, int mode, uid_t user, gid_t group, sfg_error* error) {
    return guarded(error, [&] { return check_disk_access(disk_of(*disk), mode, {user, group}); });
}

int sfg_disk_create(const sfg_disk* disk, sfg_error* error) {
    return guarded(error, [&] { return create_disk(disk_of(*disk)); });
}

int sfg_disk_unlink(const sfg_disk* disk, sfg_error* error) {
    return guarded(error, [&] { return unlink_disk(disk_of(*disk)); });
}

int sfg_disk_chown(const sfg_disk* disk, uid_t user, gid_t group, sfg_error* error) {
    const User owner{user, group};
    return guarded(
        error, [&] { return chown_disk(disk_of(*disk), owner); },
        [&] { return chown_disk_by_parent(disk_of(*disk), owner); });
}
