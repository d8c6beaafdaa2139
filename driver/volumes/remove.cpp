// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/remove.hpp"

#include <cerrno>
#include <optional>

#include "driver/chains/dependants.hpp"
#include "driver/core/log.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/pools/catalogue.hpp"
#include "driver/pools/file_use.hpp"
#include "driver/pools/names.hpp"
#include "driver/pools/parents.hpp"

namespace sfg {
namespace {

// Removes `name` where it still is the file `known`.
Result<void> remove_known(const OpenPool& pool, const std::string& name, const Gfid& known) {
    SFG_TRY_ASSIGN(const Object parent, lookup_path(pool.directory, parent_of(name)));
    SFG_TRY_ASSIGN(const Object object, lookup(parent, last_of(name)));
    if (object.gfid() != known)
        return Error(ErrorKind::busy,
                     "it is another file now than the one this host listed; refresh the pool "
                     "(virsh pool-refresh) and look again");
    // What is not a regular file cannot be opened and locked.
    FileHold hold;
    std::optional<UsedFile> used;
    if (object.is_file()) {
        SFG_TRY_ASSIGN(used, use_file(object, FileUse::exclusive, "it is being deleted"));
    } else {
        SFG_TRY_ASSIGN(hold, hold_object(object, FileUse::exclusive, "it is being deleted"));
    }
    // Only now: who makes a volume on it holds it until that volume can be seen.
    if (!object.is_directory())
        SFG_TRY(check_no_dependants(pool, object, join_path(pool.pool.directory, name)));
    auto removed = remove(parent, last_of(name));
    if (removed || removed.error().kind() != ErrorKind::not_found) return removed;
    // The brick looks at the directory once more after it has removed the name (posix-entry-ops.c,
    // posix_unlink), and says ENOENT when another host has removed the directory by then. What
    // stood there a moment ago and does not any more is deleted.
    const auto still = lookup(parent, last_of(name));
    if (!still && still.error().kind() == ErrorKind::not_found) return {};
    return removed;
}

}  // namespace

Result<void> delete_volume(const OpenPool& pool, const std::string& name) {
    SFG_TRY(check_volume_name(name));
    const std::string path = join_path(pool.pool.directory, name);
    const std::string who = "volume '" + escaped(name) + "' of " + pool.pool.described();
    auto& catalogue = Catalogue::instance();

    const auto known = catalogue.known(pool.volume_id(), path);
    if (!known) {
        if (catalogue.take_failed_creation(pool.volume_id(), path)) {
            log_info(who + " could not be created: there is nothing of it to remove");
            return {};
        }
        return Error(ErrorKind::not_found, ENOENT,
                     who +
                         " was not seen by the last refresh; refresh the pool (virsh "
                         "pool-refresh)");
    }
    const auto removed = remove_known(pool, name, *known);
    if (!removed) {
        const Error& error = removed.error();
        if (error.system_errno() == ENOTEMPTY)
            return Error(ErrorKind::busy, ENOTEMPTY,
                         who + " is a directory that is not empty: delete what is in it first");
        if (error.kind() == ErrorKind::not_found)
            return Error(ErrorKind::not_found, ENOENT,
                         who + " does not exist any more; refresh the pool (virsh pool-refresh)");
        return error.with_context("cannot delete " + who);
    }
    catalogue.forget(pool.volume_id(), path);
    remove_parents(pool, name);
    return {};
}

}  // namespace sfg
