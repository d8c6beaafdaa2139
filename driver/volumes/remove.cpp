// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/remove.hpp"

#include <cerrno>

#include "driver/core/log.hpp"
#include "driver/pools/catalogue.hpp"
#include "driver/pools/names.hpp"
#include "driver/pools/parents.hpp"
#include "driver/volumes/gate.hpp"

namespace sfg {

bool was_never_made(const Pool& pool, const std::string& name) {
    if (!Catalogue::instance().take_failed_creation(pool.name, name)) return false;
    log_info(volume_described(pool, name) +
             " could not be created: there is nothing of it to remove");
    return true;
}

Result<void> delete_volume(const OpenPool& pool, const std::string& name) {
    SFG_TRY(check_volume_name(name));
    const std::string who = volume_described(pool.pool, name);
    const auto removed = Gate(pool, name).remove();
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
    remove_parents(pool, name);
    return {};
}

}  // namespace sfg
