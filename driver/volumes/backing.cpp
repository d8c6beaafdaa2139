// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/backing.hpp"

#include <cerrno>
#include <cstdio>
#include <limits>

#include "driver/core/local_file.hpp"
#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/gluster/connections.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/links.hpp"
#include "driver/gluster/uri.hpp"
#include "driver/volumes/file_use.hpp"
#include "driver/volumes/fuse_mounts.hpp"
#include "driver/volumes/inspect.hpp"
#include "driver/volumes/known_pools.hpp"
#include "driver/volumes/names.hpp"

namespace sfg {
namespace {

// qemu has no limit of its own; a chain this deep is a mistake, or a loop.
constexpr int kDeepestChain = 200;

// A file of a gluster volume: where a base is, or where an image's header says that one is.
struct Place {
    std::shared_ptr<Connection> connection;
    std::string path;  // from the volume's root, normalized

    bool operator==(const Place& other) const {
        return connection->volume_id() == other.connection->volume_id() && path == other.path;
    }
};

std::string text_of(const Gfid& gfid) {
    std::string text;
    for (std::size_t i = 0; i < gfid.bytes.size(); ++i) {
        char hex[3];
        std::snprintf(hex, sizeof(hex), "%02x", gfid.bytes[i]);
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += hex;
    }
    return text;
}

// As qemu tells a protocol (block.c, path_has_protocol): a ':' before the first '/'.
bool has_protocol(const std::string& name) {
    const auto at = name.find_first_of(":/");
    return at != std::string::npos && name[at] == ':';
}

Error base_error(const std::string& request, ErrorKind kind, int error, const std::string& why) {
    return Error(kind, error, "base '" + escaped(request) + "' " + why);
}

// The volume and path of a URI that a request gives. ErrorKind::denied where no pool knows its
// host.
Result<Place> place_of_requested_uri(const std::string& text) {
    SFG_TRY_ASSIGN(const GlusterUri uri, parse_gluster_uri(text));
    if (uri.transport != "tcp")
        return base_error(text, ErrorKind::unsupported, 0,
                          "uses the transport '" + uri.transport + "': only tcp is supported here");
    const auto address = KnownPools::instance().address_for(uri);
    if (!address)
        return base_error(text, ErrorKind::denied, 0,
                          "is on the gluster server '" + uri.host +
                              "', which no active pool names: define and start a pool for it");
    const auto path = normalized(uri.path);
    if (!path) return base_error(text, ErrorKind::invalid, 0, "leads out of its gluster volume");
    SFG_TRY_ASSIGN(auto connection,
                   Connections::instance().get(*address, settings().connect_timeout));
    return Place{std::move(connection), *path};
}

// The file of a known gluster volume behind a path on a FUSE mount; nothing where the mount is of
// a volume that no pool here has. That the names agree is no proof, the gfid is: another cluster
// may have a volume of the same name.
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
            return std::optional(Place{std::move(connection), fuse.path});
    }
    if (!error) return std::optional<Place>();
    if (error->kind() == ErrorKind::not_found)
        return base_error(path, ErrorKind::not_found, ENOENT,
                          "does not exist in gluster volume '" + fuse.volume +
                              "', or leads through a symbolic link");
    return error->with_context("base '" + escaped(path) + "'");
}

// Where an image says that its base lies, if that is in a gluster volume of an active pool: a
// stranger wrote this name, so nothing is connected to or opened for it. `at` is the image's own
// place; nothing for a local file, whose relative names are local too.
std::optional<Place> place_of_recorded(const std::optional<Place>& at,
                                       const std::string& recorded) {
    std::vector<VolumeAddress> addresses;
    std::optional<std::string> path;
    if (is_gluster_uri(recorded)) {
        const auto uri = parse_gluster_uri(recorded);
        if (!uri) return std::nullopt;
        const auto address = KnownPools::instance().pool_for(*uri);
        if (!address) return std::nullopt;
        addresses.push_back(*address);
        path = normalized(uri->path);
    } else if (recorded.starts_with('/')) {
        const auto fuse = fuse_path(recorded);
        if (!fuse) return std::nullopt;
        addresses = KnownPools::instance().volumes_named(fuse->volume);
        path = fuse->path;
    } else if (at && !has_protocol(recorded)) {
        path = normalized(join_path(parent_of(at->path), recorded));
        if (path) return Place{at->connection, *path};
    }
    if (addresses.empty() || !path) return std::nullopt;
    auto connection = Connections::instance().get(addresses.front(), settings().connect_timeout);
    if (!connection) return std::nullopt;
    return Place{*connection, *path};
}

// Refuses a chain that comes back to `image`, or that has no end. What cannot be followed by our
// rules ends the search: it cannot be shown to lead back.
Result<void> check_chain(const Place& image, std::optional<Place> at,
                         std::shared_ptr<const ImageInfo> info, const std::string& request) {
    for (int depth = 0; depth < kDeepestChain; ++depth) {
        if (at && *at == image)
            return base_error(request, ErrorKind::invalid, ELOOP,
                              "leads back to the volume that is to be made: its chain would be a "
                              "loop");
        if (info == nullptr || !info->backing) return {};
        at = place_of_recorded(at, *info->backing);
        if (!at) return {};
        info = nullptr;  // it need not exist to be a loop
        SFG_TRY_ASSIGN(const Object root, root_of(at->connection));
        const auto object = lookup_path(root, at->path);
        if (!object || !object->is_file()) continue;
        if (auto below = inspect_cached(*object)) info = *below;
    }
    return base_error(request, ErrorKind::invalid, ELOOP,
                      "has a chain of more than " + std::to_string(kDeepestChain) +
                          " images, or one that is a loop");
}

// The object at `place`; a link is followed where it stays in the volume, and the place is then
// that of the file itself.
Result<Object> look_up_base(Place& place, const std::string& request) {
    SFG_TRY_ASSIGN(const Object root, root_of(place.connection));
    auto object = lookup_path(root, place.path);
    if (object && object->is_link()) {
        auto target = follow_links(place.connection, place.path);
        if (target) place.path = target->path;
        object =
            target ? Result<Object>(std::move(target->object)) : Result<Object>(target.error());
    }
    if (!object) {
        if (object.error().kind() == ErrorKind::not_found)
            return base_error(request, ErrorKind::not_found, ENOENT, "does not exist");
        return object.error().with_context("base '" + escaped(request) + "'");
    }
    if (object->is_directory())
        return base_error(request, ErrorKind::invalid, EISDIR, "is a directory");
    if (!object->is_file())
        return base_error(request, ErrorKind::invalid, 0, "is not a regular file");
    return object;
}

// Which format to record. What the base was made as, or looks like, must agree with what was asked
// for; libvirt says "raw" for "not given".
Result<std::string> agree_on_format(const BackingRequest& request, const ImageInfo& info,
                                    bool made_here) {
    // libvirt tells ISO images from raw ones, qemu does not.
    const std::string actual = info.format == "iso" ? "raw" : info.format;
    if (request.format == actual) return request.format;
    // A volume that this driver made is what it was made as: nothing is guessed.
    if (request.format == "raw" && made_here) return actual;
    return base_error(request.path, ErrorKind::invalid, 0,
                      "is " + actual + ", and the request says or implies " + request.format +
                          ": give <format type='" + actual + "'/> in <backingStore>");
}

// A header may claim any capacity.
Result<std::uint64_t> usable_capacity(const ImageInfo& info, const std::string& request) {
    if (info.capacity > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()) - 1024)
        return base_error(request, ErrorKind::corrupt, 0,
                          "claims a capacity of " + std::to_string(info.capacity) + " bytes");
    return info.capacity;
}

Result<Base> base_in_gluster(const OpenPool& pool, const std::string& image, Place place,
                             const BackingRequest& request) {
    SFG_TRY_ASSIGN(const Object object, look_up_base(place, request.path));
    SFG_TRY_ASSIGN(const auto inspected, inspect_cached(object));
    const ImageInfo& info = *inspected;
    if (!info.damage.empty())
        return base_error(request.path, ErrorKind::corrupt, 0, "cannot be used: " + info.damage);
    Base base;
    auto hold = hold_file(object, FileUse::shared);
    if (!hold) return hold.error().with_context("base '" + escaped(request.path) + "'");
    base.hold = *std::move(hold);
    SFG_TRY_ASSIGN(const auto recorded_format, object.attribute(kFormatAttribute));
    SFG_TRY_ASSIGN(base.format, agree_on_format(request, info, recorded_format.has_value()));
    SFG_TRY(check_chain({pool.connection(), image}, place, inspected, request.path));
    SFG_TRY_ASSIGN(base.capacity, usable_capacity(info, request.path));
    base.recorded = request.path;
    if (place.connection->volume_id() == pool.volume_id()) {
        base.recorded = relative_path(parent_of(image), place.path);
        if (has_protocol(base.recorded)) base.recorded = "./" + base.recorded;
    }
    return base;
}

Result<Base> base_in_local_file(const Place& image, const BackingRequest& request,
                                const std::optional<FusePath>& fuse) {
    // A gluster volume is written to by strangers: no link of theirs is followed on the host.
    auto file = fuse ? LocalFile::open_beneath(fuse->mount_point, fuse->below)
                     : LocalFile::open(request.path, LocalFile::Mode::read_only);
    if (!file) {
        if (file.error().kind() == ErrorKind::not_found)
            return base_error(request.path, ErrorKind::not_found, ENOENT, "does not exist");
        return file.error().with_context("base '" + escaped(request.path) + "'");
    }
    std::vector<std::byte> start(kHeaderBytes);
    SFG_TRY_ASSIGN(const std::size_t length, (*file)->read_at(0, start));
    SFG_TRY_ASSIGN(const std::uint64_t size, (*file)->size());
    const ImageInfo info = inspect_bytes(std::span(start).first(length), size,
                                         [&](std::uint64_t offset, std::span<std::byte> buffer) {
                                             return (*file)->read_at(offset, buffer);
                                         });
    if (!info.damage.empty())
        return base_error(request.path, ErrorKind::corrupt, 0, "cannot be used: " + info.damage);
    Base base;
    SFG_TRY_ASSIGN(base.format, agree_on_format(request, info, false));
    SFG_TRY(
        check_chain(image, std::nullopt, std::make_shared<const ImageInfo>(info), request.path));
    SFG_TRY_ASSIGN(base.capacity, usable_capacity(info, request.path));
    base.recorded = request.path;
    return base;
}

}  // namespace

Result<Base> find_base(const OpenPool& pool, const std::string& image,
                       const BackingRequest& request) {
    if (is_gluster_uri(request.path)) {
        SFG_TRY_ASSIGN(Place place, place_of_requested_uri(request.path));
        return base_in_gluster(pool, image, std::move(place), request);
    }
    if (request.path.starts_with('/')) {
        const auto fuse = fuse_path(request.path);
        if (fuse) {
            SFG_TRY_ASSIGN(auto place, place_of_fuse_path(request.path, *fuse));
            if (place) return base_in_gluster(pool, image, *std::move(place), request);
        }
        return base_in_local_file({pool.connection(), image}, request, fuse);
    }
    if (auto named = check_volume_name(request.path); !named)
        return named.error().with_context("base '" + escaped(request.path) + "'");
    return base_in_gluster(
        pool, image, {pool.connection(), join_path(pool.pool.directory, request.path)}, request);
}

std::optional<BackingShown> shown_backing(const Pool& pool, const std::string& image,
                                          const ImageInfo& info) {
    if (!info.backing) return std::nullopt;
    BackingShown shown{*info.backing, info.backing_format};
    const bool absolute = shown.path.starts_with('/') || has_protocol(shown.path);
    if (!absolute)
        if (const auto path = normalized(join_path(parent_of(image), shown.path)))
            shown.path = pool.uri_of(*path);
    return shown;
}

}  // namespace sfg
