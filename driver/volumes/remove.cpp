// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/remove.hpp"

#include <cerrno>

#include "driver/core/log.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/volumes/catalogue.hpp"
#include "driver/volumes/file_use.hpp"
#include "driver/volumes/names.hpp"
#include "driver/volumes/parents.hpp"

namespace sfg {

Result<void> delete_volume(const OpenPool& pool, const std::string& name) {
    SFG_TRY(check_volume_name(name));
    const std::string path = join_path(pool.pool.directory, name);
    const std::string who = "volume '" + escaped(name) + "' of " + pool.pool.described();
    auto& catalogue = Catalogue::instance();

    const auto known = catalogue.known(pool.volume_id(), path);
    if (!known) {
        log_info(who + " was never seen by this process: nothing is removed");
        return {};
    }
    auto fail = [&](const Error& error) -> Result<void> {
        if (error.system_errno() == ENOTEMPTY)
            return Error(ErrorKind::busy, ENOTEMPTY,
                         who + " is a directory that is not empty: delete what is in it first");
        if (error.kind() == ErrorKind::not_found) {
            catalogue.forget(pool.volume_id(), path);
            return Error(ErrorKind::not_found, ENOENT,
                         who + " does not exist any more; refresh the pool (virsh pool-refresh)");
        }
        return error.with_context("cannot delete " + who);
    };

    const auto parent = lookup_path(pool.directory, parent_of(name));
    if (!parent) return fail(parent.error());
    const auto object = lookup(*parent, last_of(name));
    if (!object) return fail(object.error());
    if (object->gfid() != *known)
        return Error(ErrorKind::busy, 0,
                     who +
                         " is another file now than the one this host listed; refresh the pool "
                         "(virsh pool-refresh) and look again");
    const auto hold = hold_file(*object, FileUse::exclusive);
    if (!hold) return hold.error().with_context(who + " is in use");
    if (auto removed = remove(*parent, last_of(name)); !removed) return fail(removed.error());
    catalogue.forget(pool.volume_id(), path);
    remove_parents(pool, name);
    return {};
}

}  // namespace sfg
