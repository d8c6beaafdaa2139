// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/chains/backing.hpp"

#include <cerrno>
#include <limits>

#include "driver/core/fuse_mounts.hpp"
#include "driver/core/local_file.hpp"
#include "driver/core/log.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/uri.hpp"
#include "driver/images/inspect.hpp"
#include "driver/images/recorded_name.hpp"
#include "driver/pools/file_use.hpp"
#include "driver/pools/names.hpp"

namespace sfg {
namespace {

// qemu has no limit of its own; a chain this deep is a mistake, or a loop.
constexpr int kDeepestChain = 200;

Error base_error(const std::string& request, ErrorKind kind, int error, const std::string& why) {
    return Error(kind, error, "base '" + escaped(request) + "' " + why);
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
        at = place_of_recorded(at, read_recorded_name(*info->backing));
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
    const std::string who = "base '" + escaped(request.path) + "'";
    SFG_TRY_ASSIGN(const Object object, look_up_place(place, who));
    Base base;
    auto used = use_shared(object, "a volume that has it as its base is being made");
    if (!used) return used.error().with_context(who);
    base.used = std::make_shared<UsedFile>(*std::move(used));
    // Only now is it sure to stay, and to stay as it is: another host may have deleted, replaced,
    // uploaded to or resized it before.
    SFG_TRY_ASSIGN(const Object current, look_up_place(place, who));
    if (current.gfid() != object.gfid())
        return base_error(request.path, ErrorKind::not_found, ENOENT, "was replaced meanwhile");
    SFG_TRY(check_is_listed(pool, place, current.gfid(), who));
    SFG_TRY_ASSIGN(const auto inspected, inspect_cached(current));
    const ImageInfo& info = *inspected;
    if (!info.damage.empty())
        return base_error(request.path, ErrorKind::corrupt, 0, "cannot be used: " + info.damage);
    SFG_TRY_ASSIGN(const auto recorded_format, object.attribute(kFormatAttribute));
    SFG_TRY_ASSIGN(base.format, agree_on_format(request, info, recorded_format.has_value()));
    SFG_TRY(check_chain(place_in(pool, image), place, inspected, request.path));
    SFG_TRY_ASSIGN(base.capacity, usable_capacity(info, request.path));
    base.place = place;
    base.gfid = object.gfid();
    base.image = inspected;
    base.asked = request.path;
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
    SFG_TRY_ASSIGN(const ImageInfo info, inspect_file(**file));
    if (!info.damage.empty())
        return base_error(request.path, ErrorKind::corrupt, 0, "cannot be used: " + info.damage);
    Base base;
    SFG_TRY_ASSIGN(base.format, agree_on_format(request, info, false));
    SFG_TRY(
        check_chain(image, std::nullopt, std::make_shared<const ImageInfo>(info), request.path));
    SFG_TRY_ASSIGN(base.capacity, usable_capacity(info, request.path));
    base.recorded = base.asked = request.path;
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
        return base_in_local_file(place_in(pool, image), request, fuse);
    }
    // As libvirt records the bases of guests with several servers, and as a copied definition names
    // them.
    const RecordedName recorded = read_recorded_name(request.path);
    if (recorded.files.front().kind == NamedFile::Kind::gluster) {
        auto place = place_of_recorded(std::nullopt, recorded);
        if (!place)
            return base_error(request.path, ErrorKind::denied, 0,
                              "is in no gluster volume that an active pool has by one of these "
                              "servers: define and start a pool for it");
        return base_in_gluster(pool, image, *std::move(place), request);
    }
    if (auto named = check_volume_name(request.path); !named)
        return named.error().with_context("base '" + escaped(request.path) + "'");
    return base_in_gluster(pool, image,
                           place_in(pool, join_path(pool.pool.directory, request.path)), request);
}

Result<void> check_still_there(const Base& base) {
    if (!base.place) return {};
    const std::string who = "base '" + escaped(base.asked) + "'";
    const auto taken = take_again(*base.used);
    if (!taken && taken.error().kind() == ErrorKind::busy) return taken.error().with_context(who);
    Place place = *base.place;
    SFG_TRY_ASSIGN(const Object current, look_up_place(place, who));
    if (current.gfid() != base.gfid)
        return base_error(base.asked, ErrorKind::not_found, ENOENT, "was replaced meanwhile");
    if (!taken) return taken.error().with_context(who);
    SFG_TRY_ASSIGN(const auto image, inspect_cached(current));
    if (!is_same_image(*image, *base.image))
        return base_error(base.asked, ErrorKind::busy, EBUSY, "was changed meanwhile");
    return {};
}

std::optional<BackingShown> shown_backing(const Pool& pool, const std::string& image,
                                          const ImageInfo& info) {
    if (!info.backing) return std::nullopt;
    BackingShown shown{*info.backing, info.backing_format};
    const RecordedName recorded = read_recorded_name(shown.path);
    if (const NamedFile& file = recorded.files.front(); file.kind == NamedFile::Kind::relative)
        if (const auto path = normalized(join_path(parent_of(image), file.path)))
            shown.path = pool.uri_of(*path);
    return shown;
}

}  // namespace sfg
