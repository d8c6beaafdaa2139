// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/listing.hpp"

#include <cerrno>

#include "driver/chains/backing.hpp"
#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/gluster/bounded.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/links.hpp"
#include "driver/images/inspect.hpp"
#include "driver/pools/catalogue.hpp"
#include "driver/pools/known_pools.hpp"
#include "driver/pools/names.hpp"
#include "driver/pools/scan.hpp"
#include "driver/pools/temporaries.hpp"

namespace sfg {
namespace {

ListedVolume listed(const Pool& pool, const std::string& name, const struct stat& stat,
                    std::shared_ptr<const ImageInfo> image) {
    static const auto no_image = std::make_shared<const ImageInfo>();  // of a directory
    const std::string path = join_path(pool.directory, name);
    ListedVolume volume;
    volume.name = name;
    volume.uri = pool.uri_of(path);
    volume.directory = S_ISDIR(stat.st_mode);
    volume.stat = stat;
    if (image == nullptr) image = no_image;
    volume.backing = shown_backing(pool, path, *image);
    volume.image = std::move(image);
    return volume;
}

Error no_such_volume(const Pool& pool, const std::string& name) {
    return Error(ErrorKind::not_found, ENOENT,
                 pool.described() + " has no volume '" + escaped(name) +
                     "' any more; refresh the pool (virsh pool-refresh)");
}

// libvirt holds the pool's lock, and a brick may stall just now. What is not done then goes on, or
// is left for the next refresh.
void sweep_within(std::chrono::milliseconds limit, const Scan& scan) {
    if (scan.temporaries.empty()) return;
    const auto swept =
        run_bounded<void>(scan.pool.pool.address, scan.pool.pool.described(), limit,
                          [pool = scan.pool, temporaries = scan.temporaries]() -> Result<void> {
                              sweep_temporaries(pool, temporaries);
                              return {};
                          });
    if (!swept) log_warning("left-over temporary files: " + swept.error().message());
}

}  // namespace

Result<Listing> refresh_pool(const Pool& pool) {
    SFG_TRY_ASSIGN(Scan scan, scan_pool(pool, ScanFor::refresh, settings().connect_timeout));
    KnownPools::instance().add(pool);
    sweep_within(settings().connect_timeout, scan);

    Listing listing;
    listing.usage = scan.usage;
    listing.volumes.reserve(scan.entries.size());
    std::vector<std::pair<std::string, Gfid>> files;
    files.reserve(scan.entries.size());
    for (auto& entry : scan.entries) {
        files.emplace_back(join_path(pool.directory, entry.name), entry.gfid);
        listing.volumes.push_back(listed(pool, entry.name, entry.stat, std::move(entry.image)));
    }
    Catalogue::instance().replace_below(scan.pool.volume_id(), pool.directory, scan.since, files);
    return listing;
}

Result<ListedVolume> look_at_volume(const OpenPool& pool, const std::string& name) {
    SFG_TRY(check_volume_name(name));
    auto object = lookup_path(pool.directory, name);
    const std::optional<Gfid> gfid = object ? std::optional(object->gfid()) : std::nullopt;
    if (object && object->is_link()) {
        auto target = follow_links(pool.connection(), join_path(pool.pool.directory, name));
        if (!target && target.error().kind() != ErrorKind::not_found) return target.error();
        if (!target || !is_below(target->path, pool.pool.directory))
            return no_such_volume(pool.pool, name);
        object = std::move(target->object);
    }
    if (!object) {
        if (object.error().kind() == ErrorKind::not_found) return no_such_volume(pool.pool, name);
        return object.error().with_context("volume '" + escaped(name) + "' of " +
                                           pool.pool.described());
    }
    std::shared_ptr<const ImageInfo> image;
    if (object->is_file()) {
        auto inspected = inspect_cached(*object);
        if (!inspected)
            return inspected.error().with_context("volume '" + escaped(name) + "' of " +
                                                  pool.pool.described());
        image = *std::move(inspected);
    }
    Catalogue::instance().learn(pool.volume_id(), join_path(pool.pool.directory, name), *gfid);
    return listed(pool.pool, name, object->stat(), std::move(image));
}

}  // namespace sfg
