// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/chains/dependants.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "driver/core/fuse_mounts.hpp"
#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/gluster/bounded.hpp"
#include "driver/gluster/connections.hpp"
#include "driver/gluster/links.hpp"
#include "driver/gluster/uri.hpp"
#include "driver/images/recorded_name.hpp"
#include "driver/pools/known_pools.hpp"
#include "driver/pools/names.hpp"
#include "driver/pools/scan.hpp"

namespace sfg {
namespace {

// The pools here that are in the gluster volume of `pool`, without those whose directory lies in
// that of another one.
std::vector<Pool> pools_of_volume(const OpenPool& pool) {
    std::vector<Pool> all = KnownPools::instance().all();
    all.push_back(pool.pool);
    std::vector<Pool> found;
    for (const auto& candidate : all) {
        // A gluster volume has one name: others need no connection, which may take its time.
        if (candidate.address.volume != pool.pool.address.volume) continue;
        const auto connection =
            Connections::instance().get(candidate.address, settings().connect_timeout);
        show_life();
        if (!connection || (*connection)->volume_id() != pool.volume_id()) continue;
        auto covers = [](const Pool& outer, const Pool& inner) {
            return outer.directory == inner.directory || is_below(inner.directory, outer.directory);
        };
        bool covered = false;
        for (const auto& other : found) covered = covered || covers(other, candidate);
        if (covered) continue;
        std::erase_if(found, [&](const Pool& other) { return covers(candidate, other); });
        found.push_back(candidate);
    }
    return found;
}

class Search {
  public:
    Search(const OpenPool& pool, const Object& base, std::string path)
        : pool_(pool), base_(base), path_(std::move(path)) {}

    Result<std::vector<Dependant>> run() {
        std::vector<Scan> scans;
        for (const auto& pool : pools_of_volume(pool_)) {
            auto scanned = scan_pool(pool, ScanFor::dependants, settings().connect_timeout);
            if (!scanned) {
                // Another pool's directory may be gone, and with it all that was in it. (libvirt
                // refreshes a pool after an upload although it was stopped meanwhile, so that it
                // is known here for ever.)
                if (scanned.error().kind() != ErrorKind::pool_missing || pool == pool_.pool)
                    return scanned.error();
                KnownPools::instance().remove(pool.name);
                continue;
            }
            Scan scan = *std::move(scanned);
            for (const auto& entry : scan.entries)
                if (!S_ISDIR(entry.stat.st_mode))
                    files_.insert_or_assign(join_path(pool.directory, entry.name), entry.gfid);
            scans.push_back(std::move(scan));
        }
        for (const auto& scan : scans)
            for (const auto& entry : scan.entries) SFG_TRY(look_at(scan.pool.pool, entry));
        return std::move(found_);
    }

  private:
    Result<void> look_at(const Pool& pool, const ScannedEntry& entry) {
        if (entry.image == nullptr || entry.gfid == base_.gfid()) return {};
        if (entry.image->unreadable)
            return Error(ErrorKind::io, EIO,
                         "volume '" + escaped(entry.name) + "' of " + pool.described() +
                             " cannot be read, and it may need this one (gluster volume heal " +
                             pool.address.volume + " info tells more)");
        const auto& backing =
            entry.image->backing ? entry.image->backing : entry.image->claimed_backing;
        if (!backing) return {};
        SFG_TRY_ASSIGN(const bool depends,
                       is_base(join_path(pool.directory, entry.name), *backing));
        show_life();
        if (depends) found_.push_back({entry.name, pool.name, entry.image->capacity});
        return {};
    }

    // Does `recorded`, which stands in the image at `image`, lead to the base?
    Result<bool> is_base(const std::string& image, const std::string& recorded) {
        if (is_gluster_uri(recorded)) {
            // Whatever host it names: one that is not known here may be another name of one that
            // is, and nothing is connected to for this.
            const auto uri = parse_gluster_uri(recorded);
            if (!uri || uri->volume != pool_.pool.address.volume) return false;
            return leads_to_base(normalized(uri->path));
        }
        // libvirt writes such names for gluster disks with several hosts. To be exact would need
        // all of qemu's options; to be careful needs none.
        if (recorded.starts_with("json:"))
            return recorded.find(path_) != std::string::npos ||
                   recorded.find(escaped_uri_path(path_)) != std::string::npos;
        const std::string local = recorded.starts_with("file:") ? recorded.substr(5) : recorded;
        if (local.starts_with('/')) {
            if (const auto fuse = fuse_path(local); fuse && !fuse->volume.empty())
                return fuse->volume == pool_.pool.address.volume ? leads_to_base(fuse->path)
                                                                 : Result<bool>(false);
            return is_base_by_local_path(local);
        }
        if (has_protocol(local)) return false;
        return leads_to_base(normalized(join_path(parent_of(image), local)));
    }

    Result<bool> leads_to_base(const std::optional<std::string>& path) {
        if (!path) return false;
        if (*path == path_) return true;
        if (const auto file = files_.find(*path); file != files_.end()) {
            if (file->second == base_.gfid()) return true;
        }
        const auto known = answers_.find(*path);
        if (known != answers_.end()) return known->second;
        const auto target = follow_links(pool_.connection(), *path);
        if (!target && target.error().kind() != ErrorKind::not_found) return target.error();
        const bool answer = target && target->object.gfid() == base_.gfid();
        answers_.emplace(*path, answer);
        return answer;
    }

    bool is_base_by_local_path(const std::string& local) const {
        struct stat stat {};
        // A link of this host may lead to a FUSE mount.
        if (::lstat(local.c_str(), &stat) == 0)
            return gfid_over_fuse_followed(local) == text_of(base_.gfid());
        return local.ends_with("/" + path_) ||
               (!pool_.pool.directory.empty() && is_below(path_, pool_.pool.directory) &&
                local.ends_with("/" + path_.substr(pool_.pool.directory.size() + 1)));
    }

    const OpenPool& pool_;
    const Object& base_;
    const std::string path_;
    std::unordered_map<std::string, Gfid> files_;    // by path from the volume's root
    std::unordered_map<std::string, bool> answers_;  // of names that were looked up
    std::vector<Dependant> found_;
};

}  // namespace

Result<std::vector<Dependant>> dependants_of(const OpenPool& pool, const Object& base,
                                             const std::string& path) {
    return Search(pool, base, path).run();
}

std::string list_of(const std::vector<Dependant>& dependants) {
    constexpr std::size_t kNamed = 5;
    std::string text;
    for (std::size_t i = 0; i < dependants.size() && i < kNamed; ++i)
        text += (i == 0 ? "'" : ", '") + escaped(dependants[i].name) + "' of pool '" +
                dependants[i].pool + "'";
    if (dependants.size() > kNamed)
        text += " and " + std::to_string(dependants.size() - kNamed) + " more";
    return (dependants.size() == 1 ? "volume " : "volumes ") + text;
}

Result<void> check_no_dependants(const OpenPool& pool, const Object& base,
                                 const std::string& path) {
    SFG_TRY_ASSIGN(const auto dependants, dependants_of(pool, base, path));
    if (dependants.empty()) return {};
    return Error(ErrorKind::busy, EBUSY, "it is the base of " + list_of(dependants));
}

}  // namespace sfg
