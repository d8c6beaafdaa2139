// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/volume_file.hpp"

#include <cerrno>

#include "driver/chains/dependants.hpp"
#include "driver/core/log.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/links.hpp"
#include "driver/images/inspect.hpp"
#include "driver/pools/names.hpp"

namespace sfg {
namespace {

Error gone() {
    return Error(ErrorKind::not_found, ENOENT,
                 "it does not exist any more; refresh the pool (virsh pool-refresh)");
}

Result<void> check_is_file(const Object& object) {
    if (object.is_file()) return {};
    if (object.is_directory())
        return Error(ErrorKind::unsupported, EISDIR, "it is a directory, which has no data");
    return Error(ErrorKind::unsupported, "it is not a regular file");
}

Result<Object> look_up(const OpenPool& pool, const std::string& name) {
    SFG_TRY(check_volume_name(name));
    auto object = lookup_path(pool.directory, name);
    if (!object && object.error().kind() == ErrorKind::not_found) return gone();
    return object;
}

}  // namespace

std::string volume_described(const Pool& pool, const std::string& name) {
    return "volume '" + escaped(name) + "' of " + pool.described();
}

Result<VolumeFile> find_volume_file(const OpenPool& pool, const std::string& name) {
    SFG_TRY_ASSIGN(Object object, look_up(pool, name));
    std::string path = join_path(pool.pool.directory, name);
    if (object.is_link()) {
        auto target = follow_links(pool.connection(), path);
        if (!target && target.error().kind() != ErrorKind::not_found) return target.error();
        if (!target || !is_below(target->path, pool.pool.directory)) return gone();
        object = std::move(target->object);
        path = std::move(target->path);
    }
    SFG_TRY(check_is_file(object));
    return VolumeFile{std::move(object), std::move(path)};
}

Result<VolumeFile> find_volume_file_to_change(const OpenPool& pool, const std::string& name) {
    SFG_TRY_ASSIGN(Object object, look_up(pool, name));
    if (object.is_link())
        return Error(ErrorKind::unsupported, ELOOP,
                     "it is a symbolic link, through which nothing is changed: name the volume "
                     "that it leads to");
    SFG_TRY(check_is_file(object));
    return VolumeFile{std::move(object), join_path(pool.pool.directory, name)};
}

Result<TakenVolume> take_volume(const OpenPool& pool, const std::string& name,
                                const std::string& doing) {
    SFG_TRY_ASSIGN(VolumeFile volume, find_volume_file_to_change(pool, name));
    SFG_TRY_ASSIGN(UsedFile used, use_file(volume.object, FileUse::exclusive, doing));
    // Only now is it sure to stay: another host may have deleted or replaced it before.
    SFG_TRY_ASSIGN(const VolumeFile current, find_volume_file_to_change(pool, name));
    if (current.object.gfid() != volume.object.gfid()) return gone();
    // Only now: who makes a volume on it holds it until that volume can be seen.
    SFG_TRY(check_no_dependants(pool, volume.object, volume.path));
    return TakenVolume{std::move(volume), std::move(used)};
}

Result<void> record_format(const Object& object, const std::string& format) {
    auto recorded = object.set_attribute(kFormatAttribute, format);
    if (recorded || recorded.error().kind() != ErrorKind::unsupported) return recorded;
    log_warning("the bricks of gluster volume '" + object.connection()->volume() +
                "' take no attributes, so that the format of a volume cannot be recorded: a guest "
                "could make a raw disk look like another");
    return {};
}

}  // namespace sfg
