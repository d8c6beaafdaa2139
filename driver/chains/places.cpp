// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/chains/places.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/gluster/attendance.hpp"
#include "driver/gluster/connections.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/links.hpp"
#include "driver/gluster/uri.hpp"
#include "driver/images/recorded_name.hpp"
#include "driver/pools/catalogue.hpp"
#include "driver/pools/known_pools.hpp"
#include "driver/pools/names.hpp"

namespace sfg {
namespace {

// "base 'x' does not exist"
Error place_error(const std::string& who, ErrorKind kind, int error, const std::string& why) {
    return Error(kind, error, who + " " + why);
}

}  // namespace

Place place_in(const OpenPool& pool, std::string path) {
    return Place{pool.connection(), pool.pool.address, std::move(path)};
}

Result<Place> place_of_requested_uri(const std::string& text) {
    const std::string named = "base '" + escaped(text) + "'";
    SFG_TRY_ASSIGN(const GlusterUri uri, parse_gluster_uri(text));
    if (uri.transport != "tcp")
        return place_error(
            named, ErrorKind::unsupported, 0,
            "uses the transport '" + uri.transport + "': only tcp is supported here");
    if (!is_volume_name(uri.volume))
        return place_error(named, ErrorKind::invalid, 0, "names a gluster volume that cannot be");
    const auto address = KnownPools::instance().address_for(uri.volume, uri.server());
    if (!address)
        return place_error(named, ErrorKind::denied, 0,
                           "is on the gluster server '" + uri.host +
                               "', which no active pool names: define and start a pool for it");
    const auto path = normalized(uri.path);
    if (!path) return place_error(named, ErrorKind::invalid, 0, "leads out of its gluster volume");
    SFG_TRY_ASSIGN(auto connection,
                   Connections::instance().get(*address, settings().connect_timeout));
    return Place{std::move(connection), *address, *path};
}

Result<std::optional<Place>> place_of_fuse_path(const std::string& path, const FusePath& fuse) {
    const std::string over_fuse = gfid_over_fuse(path);
    std::optional<Error> error;
    for (const auto& address : KnownPools::instance().volumes_named(fuse.volume)) {
        SFG_TRY_ASSIGN(auto connection,
                       Connections::instance().get(address, settings().connect_timeout));
        SFG_TRY_ASSIGN(const Object root, root_of(connection));
        const auto object = lookup_path(root, fuse.path);
        if (!object)
            error = object.error();
        else if (text_of(object->gfid()) == over_fuse)
            return std::optional(Place{std::move(connection), address, fuse.path});
    }
    if (!error) return std::optional<Place>();
    if (error->kind() == ErrorKind::not_found)
        return place_error("base '" + escaped(path) + "'", ErrorKind::not_found, ENOENT,
                           "does not exist in gluster volume '" + fuse.volume +
                               "', or leads through a symbolic link");
    return error->with_context("base '" + escaped(path) + "'");
}

namespace {

// The file's path, and the gluster volumes that may be meant.
struct Meant {
    std::vector<VolumeAddress> addresses;
    std::string path;
};

std::optional<Meant> meant_by(const NamedFile& file) {
    if (file.kind == NamedFile::Kind::gluster) {
        // One server that is known will do: it is asked, and no other.
        for (const auto& server : file.servers)
            if (const auto address = KnownPools::instance().pool_for(file.volume, server))
                return Meant{{*address}, file.path};
    } else if (file.kind == NamedFile::Kind::local) {
        if (const auto fuse = fuse_path(file.path))
            return Meant{KnownPools::instance().volumes_named(fuse->volume), fuse->path};
    }
    return std::nullopt;
}

}  // namespace

std::optional<Place> place_of_recorded(const std::optional<Place>& at,
                                       const RecordedName& recorded) {
    const NamedFile& file = recorded.files.front();
    // Behind a link to a directory ".." leads elsewhere than it says.
    if (!recorded.plain || file.climbs) return std::nullopt;
    if (file.kind == NamedFile::Kind::relative) {
        if (!at) return std::nullopt;
        const auto path = normalized(join_path(parent_of(at->path), file.path));
        if (!path) return std::nullopt;
        return Place{at->connection, at->address, *path};
    }
    const auto meant = meant_by(file);
    if (!meant || meant->addresses.empty()) return std::nullopt;
    const VolumeAddress& address = meant->addresses.front();
    auto connection = Connections::instance().get(address, settings().connect_timeout);
    if (!connection) return std::nullopt;
    return Place{*connection, address, meant->path};
}

Result<Object> look_up_place(Place& place, const std::string& who) {
    SFG_TRY_ASSIGN(const Object root, root_of(place.connection));
    auto object = lookup_path(root, place.path);
    if (object && object->is_link()) {
        auto target = follow_links(place.connection, place.path);
        if (target) place.path = target->path;
        object =
            target ? Result<Object>(std::move(target->object)) : Result<Object>(target.error());
    }
    if (!object) {
        const Error error = or_hidden(place.connection, object.error());
        if (error.kind() == ErrorKind::not_found)
            return place_error(who, ErrorKind::not_found, ENOENT, "does not exist");
        return error.with_context(who);
    }
    if (object->is_directory())
        return place_error(who, ErrorKind::invalid, EISDIR, "is a directory");
    if (!object->is_file()) return place_error(who, ErrorKind::invalid, 0, "is not a regular file");
    return object;
}

Result<void> check_is_listed(const OpenPool& asked, const Place& place, const Gfid& gfid,
                             const std::string& who) {
    auto lists = Catalogue::instance().listed_anywhere(place.connection->volume_id(), place.path);
    const auto own = std::find_if(lists.begin(), lists.end(),
                                  [&](const auto& list) { return list.first == asked.pool.name; });
    if (own != lists.end()) lists = {*own};
    for (const auto& [pool, file] : lists)
        if (file.gfid != gfid)
            return place_error(who, ErrorKind::busy, EBUSY,
                               "is another file now than the one that pool '" + pool +
                                   "' lists; refresh the pool (virsh pool-refresh) and look again");
    return {};
}

}  // namespace sfg
