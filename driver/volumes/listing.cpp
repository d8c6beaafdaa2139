// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/listing.hpp"

#include <cerrno>

#include "driver/chains/backing.hpp"
#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/gluster/attendance.hpp"
#include "driver/gluster/bounded.hpp"
#include "driver/gluster/connections.hpp"
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

// Or is it on a brick that is away?
Error no_such_volume(const OpenPool& pool, const std::string& name) {
    const Error missing(ErrorKind::not_found, ENOENT,
                        pool.pool.described() + " has no volume '" + escaped(name) +
                            "' any more; refresh the pool (virsh pool-refresh)");
    const Error error = or_hidden(pool.connection(), missing);
    return error.kind() == ErrorKind::not_found
               ? error
               : error.with_context("volume '" + escaped(name) + "' of " + pool.pool.described());
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

using Attending = std::shared_ptr<Attendance>;

// Looking at the client itself asks no brick, but a graph that has just come into use is resolved
// by the first call that meets it; and the last question goes to the bricks, one of which may
// stall.
Result<Attending> attend_within(std::chrono::milliseconds limit, const Pool& pool) {
    SFG_TRY_ASSIGN(const auto connection, Connections::instance().get(pool.address, limit));
    return run_bounded<Attending>(pool.address, pool.described(), limit,
                                  [connection] { return Attendance::begin(connection); });
}

// Whether the whole of the pool was seen.
Attended attended_within(std::chrono::milliseconds limit, const Pool& pool, const Scan& scan,
                         const Result<Attending>& attendance) {
    Attended unknown;
    unknown.told = false;
    if (!attendance) {
        log_warning(pool.described() + ": " + attendance.error().message());
        return unknown;
    }
    // A connection that was made anew meanwhile has not been watched.
    if ((*attendance)->connection() != scan.pool.connection()) return unknown;
    const auto attended =
        run_bounded<Attended>(pool.address, pool.described(), limit,
                              [shared = *attendance] { return Result(shared->end()); });
    return attended ? *attended : unknown;
}

std::string name_below(const Pool& pool, const std::string& path) {
    return pool.directory.empty() ? path : path.substr(pool.directory.size() + 1);
}

}  // namespace

Result<Listing> refresh_pool(const Pool& pool) {
    const auto patience = settings().connect_timeout;
    SFG_TRY(check_not_hung(pool.address, pool.described()));
    SFG_TRY(connect_pool(pool));
    const auto attendance = attend_within(patience, pool);
    SFG_TRY_ASSIGN(Scan scan, scan_pool(pool, ScanFor::refresh, patience));
    const Attended attended = attended_within(patience, pool, scan, attendance);
    KnownPools::instance().add(pool);
    sweep_within(patience, scan);

    Listing listing;
    listing.usage = scan.usage;
    listing.volumes.reserve(scan.entries.size());
    NamedFiles files;
    files.reserve(scan.entries.size());
    for (auto& entry : scan.entries) {
        files.emplace_back(join_path(pool.directory, entry.name),
                           KnownFile{entry.gfid, entry.stat, entry.image});
        listing.volumes.push_back(listed(pool, entry.name, entry.stat, std::move(entry.image)));
    }
    const auto kept =
        Catalogue::instance().replace(key_of(scan.pool), scan.since, files, attended.complete());
    for (const auto& [path, file] : kept)
        listing.volumes.push_back(listed(pool, name_below(pool, path), file.stat, file.image));
    if (!attended.complete())
        log_warning(pool.described() + " was not seen as a whole: " +
                    attended.why(pool.address.volume) + "; " + std::to_string(kept.size()) +
                    " volumes that were known before stay listed as they were");
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
            return no_such_volume(pool, name);
        object = std::move(target->object);
    }
    const auto failed = [&](const Error& error) {
        return or_hidden(pool.connection(), error)
            .with_context("volume '" + escaped(name) + "' of " + pool.pool.described());
    };
    if (!object)
        return object.error().kind() == ErrorKind::not_found ? no_such_volume(pool, name)
                                                             : failed(object.error());
    std::shared_ptr<const ImageInfo> image;
    if (object->is_file()) {
        auto inspected = inspect_cached(*object);
        if (!inspected) return failed(inspected.error());
        image = *std::move(inspected);
    }
    Catalogue::instance().seen(key_of(pool), join_path(pool.pool.directory, name),
                               {*gfid, object->stat(), image});
    return listed(pool.pool, name, object->stat(), std::move(image));
}

}  // namespace sfg
