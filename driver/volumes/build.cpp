// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/build.hpp"

#include <cerrno>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "driver/gluster/attendance.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/images/header_cache.hpp"
#include "driver/pools/catalogue.hpp"
#include "driver/pools/names.hpp"
#include "driver/pools/parents.hpp"
#include "driver/volumes/gate.hpp"

namespace sfg {
namespace {

constexpr mode_t kImageMode = 0600;  // libvirt's VIR_STORAGE_DEFAULT_VOL_PERM_MODE
constexpr int kAttempts = 5;

Result<Gfid> fill_and_publish(const OpenPool& pool, const VolumeRequest& request,
                              Temporary temporary, const Fill& fill, const LastLook& last_look) {
    SFG_TRY_ASSIGN(const auto info, fill(temporary));
    SFG_TRY(temporary.object().set_ownership(std::nullopt, request.owner, request.group));
    SFG_TRY(record_format(temporary.object(), request.format));
    SFG_TRY_ASSIGN(const auto flushed, temporary.file().flush_and_tell());
    // Before, so that mostly nothing is seen of what is not to be; and after, since who deletes a
    // base looks for volumes by their names.
    SFG_TRY(last_look());
    SFG_TRY(temporary.publish(last_look));
    if (flushed && info)
        HeaderCache::instance().insert_built(pool.volume_id(), temporary.object().gfid(),
                                             flushed->size, flushed->modified,
                                             std::make_shared<const ImageInfo>(*info));
    return temporary.object().gfid();
}

}  // namespace

Result<Gfid> build_file(const OpenPool& pool, const VolumeRequest& request, const Fill& fill,
                        const LastLook& last_look) {
    // Once the temporary is there its directory stays.
    std::optional<Temporary> temporary;
    SFG_TRY(with_parents(pool, request.name, [&](const Object& parent) -> Result<Gfid> {
        SFG_TRY_ASSIGN(Temporary made, Temporary::make(parent, last_of(request.name),
                                                       request.mode.value_or(kImageMode)));
        temporary.emplace(std::move(made));
        return temporary->object().gfid();
    }));
    return fill_and_publish(pool, request, *std::move(temporary), fill, last_look);
}

Result<Gfid> with_parents(const OpenPool& pool, const std::string& name,
                          const std::function<Result<Gfid>(const Object& parent)>& make) {
    Result<Gfid> made = Error(ErrorKind::io, "no attempt was made");
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        const auto parent = make_parents(pool, name);
        made = parent ? make(*parent) : Result<Gfid>(parent.error());
        if (made || made.error().kind() != ErrorKind::not_found) break;
    }
    return made;
}

Result<void> check_name_is_free(const OpenPool& pool, const std::string& name) {
    const std::string path = join_path(pool.pool.directory, name);
    if (const std::string snapshots = snapshot_directory(pool.connection()); !snapshots.empty())
        for (const auto& component : path_components(path))
            if (component == snapshots)
                return Error(ErrorKind::invalid, volume_described(pool.pool, name) +
                                                     " cannot be made: '" + escaped(snapshots) +
                                                     "' is where gluster shows snapshots "
                                                     "(features.snapshot-directory)");
    if (Catalogue::instance().listed_anywhere(pool.volume_id(), path).empty()) return {};
    SFG_TRY_ASSIGN(const Object root, root_of(pool.connection()));
    const auto found = lookup_path(root, path);
    if (found) return exists_already(pool.pool, name);
    const Error error = or_hidden(pool.connection(), found.error());
    if (error.kind() == ErrorKind::not_found) return {};
    return error.with_context(volume_described(pool.pool, name) +
                              " was there when it was last listed");
}

Error not_made(const std::string& who, const Error& error) {
    if (error.kind() != ErrorKind::not_found) return error.with_context("cannot create " + who);
    return Error(error.kind(), error.system_errno(),
                 error.message() + "; " + who + " was not created");
}

Error exists_already(const Pool& pool, const std::string& name) {
    return Error(ErrorKind::exists, EEXIST,
                 "'" + escaped(name) + "' of " + pool.described() +
                     ", which has not listed it yet (virsh pool-refresh does),");
}

}  // namespace sfg
