// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/chains/dependants.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <unordered_set>
#include <vector>

#include "driver/chains/base_matcher.hpp"
#include "driver/core/fuse_mounts.hpp"
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

namespace sfg {
namespace {

// A volume that needs, or may need, the file that is to be changed.
struct Dependant {
    std::string who;    // "'x' of pool 'p'"
    std::string place;  // GLUSTER-VOLUME/path, as ignore-images has it
    std::string name;   // as the image has it, of what is not certain
    bool data = false;  // it keeps its data there
    bool certain = true;
};

// The pools here that are in the gluster volume of `pool`, without those whose directory lies in
// that of another one.
std::vector<Pool> pools_of_volume(const OpenPool& pool) {
    std::vector<Pool> all = KnownPools::instance().all_ever();
    all.push_back(pool.pool);
    std::vector<Pool> found;
    for (auto& candidate : all) {
        // A gluster volume has one name: others need no connection, which may take its time.
        if (candidate.address.volume != pool.pool.address.volume) continue;
        const auto connection =
            Connections::instance().get(candidate.address, settings().connect_timeout);
        show_life();
        if (connection && (*connection)->volume_id() != pool.volume_id()) continue;
        // By hosts that do not answer it may be the same volume: looked through by those that do.
        if (!connection) candidate.address = pool.pool.address;
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

// A file of the gluster volume as the user of `asked` knows it, or of another active pool.
std::string described_to(const OpenPool& asked, const std::string& path) {
    std::vector<Pool> pools = KnownPools::instance().all();
    if (!asked.pool.name.empty()) pools.insert(pools.begin(), asked.pool);
    for (const auto& pool : pools) {
        if (pool.address.volume != asked.pool.address.volume || !is_below(path, pool.directory))
            continue;
        const std::size_t skip = pool.directory.empty() ? 0 : pool.directory.size() + 1;
        return "'" + escaped(path.substr(skip)) + "' of " + pool.described();
    }
    return "'" + escaped(path) + "' of gluster volume '" + asked.pool.address.volume + "'";
}

bool is_ignored(const std::string& place) {
    const auto& ignored = settings().ignore_images;
    return std::find(ignored.begin(), ignored.end(), place) != ignored.end();
}

// More than a name beside the image, which stays in its own gluster volume.
bool names_another_place(const ImageInfo& image) {
    auto leads_out = [](const std::string& name) {
        return name.starts_with('/') || name.find(':') != std::string::npos;
    };
    return (image.backing && leads_out(*image.backing)) ||
           (image.claimed_backing && leads_out(*image.claimed_backing)) ||
           std::any_of(image.data_files.begin(), image.data_files.end(), leads_out);
}

std::optional<Pool> pool_of_name(const std::string& name) {
    for (auto& pool : KnownPools::instance().all_ever())
        if (pool.name == name) return std::move(pool);
    return std::nullopt;
}

// An image that a pool of another gluster volume has listed, as it is now: null where it is gone,
// nothing where that cannot be told in a moment.
using ImageNow = std::optional<std::shared_ptr<const ImageInfo>>;
ImageNow image_now(const Pool& pool, const Catalogue::ListedFile& listed) {
    // The user waits for his own gluster volume, and not for that one.
    constexpr std::chrono::seconds kPatience{3};
    const auto connection = Connections::instance().get(pool.address, kPatience);
    // A pool of that name may have been defined anew since, in another gluster volume.
    if (!connection || (*connection)->volume_id() != listed.volume_id) return std::nullopt;
    auto look = [connection = *connection, listed]() -> Result<ImageNow> {
        SFG_TRY_ASSIGN(const Object root, root_of(connection));
        const auto object = lookup_path(root, listed.path);
        if (object && object->gfid() == listed.file.gfid) {
            SFG_TRY_ASSIGN(auto image, inspect_cached(*object));
            return image->unreadable ? ImageNow() : ImageNow(std::move(image));
        }
        // Renamed, or behind a brick that is away.
        SFG_TRY_ASSIGN(const bool there, exists(connection, listed.file.gfid));
        SFG_TRY_ASSIGN(const auto hidden, hidden_bricks(connection));
        return there || !hidden.empty() ? ImageNow() : ImageNow(nullptr);
    };
    auto now = run_bounded<ImageNow>(pool.address, pool.described(), kPatience, look);
    return now ? *std::move(now) : ImageNow();
}

class Search {
  public:
    Search(const OpenPool& pool, const Object& base, std::string path,
           std::optional<std::uint64_t> capacity)
        : pool_(pool), base_(base), path_(std::move(path)), capacity_(capacity) {}

    Result<std::vector<Dependant>> run() {
        if (auto looked = look_everywhere(); !looked)
            return or_hidden(pool_.connection(), looked.error());
        return std::move(found_);
    }

  private:
    Result<void> look_everywhere() {
        std::vector<Scan> scans;
        for (const auto& pool : pools_of_volume(pool_)) {
            auto scanned = scan_pool(pool, ScanFor::dependants, settings().connect_timeout);
            if (!scanned) {
                // Another pool's directory may be gone, and with it all that was in it. (libvirt
                // refreshes a pool after an upload although it was stopped meanwhile, so that it
                // is known here for ever.)
                if (scanned.error().kind() != ErrorKind::pool_missing || pool == pool_.pool)
                    return scanned.error();
                KnownPools::instance().forget(pool);
                continue;
            }
            if (scanned->pool.connection() != pool_.connection())
                return Error(ErrorKind::not_connected, ENOTCONN,
                             "the connection to gluster volume '" + pool_.pool.address.volume +
                                 "' was made anew meanwhile; try again");
            scans.push_back(*std::move(scanned));
        }
        matcher_ = std::make_unique<BaseMatcher>(
            pool_.pool.address.volume, path_, base_.gfid(), own_mountinfo(),
            [this](const std::string& path) -> Result<Gfid> {
                SFG_TRY_ASSIGN(const Resolved target, follow_links(pool_.connection(), path));
                return target.object.gfid();
            });
        std::unordered_set<Gfid> shown;
        for (const auto& scan : scans)
            for (const auto& entry : scan.entries) {
                if (S_ISDIR(entry.stat.st_mode)) continue;
                const std::string path = join_path(scan.pool.pool.directory, entry.name);
                if (!entry.link) matcher_->learn(path, entry.gfid);
                if (entry.target == base_.gfid()) matcher_->learn_name_of_base(path);
                // A link is known as itself and as what it leads to.
                shown.insert(entry.gfid);
                shown.insert(entry.target);
            }
        for (const auto& scan : scans)
            for (const auto& entry : scan.entries) {
                if (entry.image == nullptr || entry.gfid == base_.gfid()) continue;
                const std::string path = join_path(scan.pool.pool.directory, entry.name);
                SFG_TRY(look_at(path, *entry.image));
            }
        SFG_TRY(look_for_missed(shown));
        return look_elsewhere();
    }

    // A walk is no snapshot: what was renamed, or moved by a rebalance, while it went by may have
    // been passed over. What was known as an image on this base and did not show is asked for by
    // its gfid, whatever name it has now.
    Result<void> look_for_missed(const std::unordered_set<Gfid>& shown) {
        for (const auto& [path, file] : Catalogue::instance().dependent_images(pool_.volume_id())) {
            if (shown.contains(file.gfid) || file.gfid == base_.gfid()) continue;
            const std::size_t before = found_.size();
            SFG_TRY(look_at(path, *file.image, ", as it was last listed"));
            if (found_.size() == before) continue;
            const auto there = exists(pool_.connection(), file.gfid);
            if (!there) return there.error();
            if (!*there) found_.resize(before);
        }
        return {};
    }

    // Images of other gluster volumes are known as their pools last listed them, and are asked for
    // where they name the base: to walk through all volumes at each change would have everybody
    // wait for the slowest of them.
    Result<void> look_elsewhere() {
        // One is enough, and each costs a few calls.
        if (!found_.empty()) return {};
        for (const auto& image :
             Catalogue::instance().images_elsewhere(pool_.volume_id(), names_another_place)) {
            show_life();
            SFG_TRY_ASSIGN(auto needs, needs_base(*image.file.image));
            if (!needs) continue;
            const auto pool = pool_of_name(image.pool);
            // Of two clusters that have a gluster volume of one name each means its own by it.
            if (!pool || pool->address.volume == pool_.pool.address.volume) continue;
            const std::string place = pool->address.volume + "/" + image.path;
            if (is_ignored(place)) continue;
            std::string since = ", as it was last listed (virsh pool-refresh " + image.pool +
                                " looks again, if the pool is started)";
            if (const auto now = image_now(*pool, image)) {
                if (*now == nullptr) continue;
                SFG_TRY_ASSIGN(needs, needs_base(**now));
                if (!needs) continue;
                since.clear();
            }
            const auto& data = image.file.image->data_files;
            const std::size_t skip = pool->directory.empty() ? 0 : pool->directory.size() + 1;
            found_.push_back(
                {"'" + escaped(image.path.substr(skip)) + "' of " + pool->described() + since,
                 place, *needs, std::count(data.begin(), data.end(), *needs) > 0});
            return {};
        }
        return {};
    }

    // The name by which an image of another gluster volume records the base.
    Result<std::optional<std::string>> needs_base(const ImageInfo& image) {
        const auto& backing = image.backing ? image.backing : image.claimed_backing;
        if (backing && (!capacity_ || image.capacity > *capacity_)) {
            SFG_TRY_ASSIGN(const auto match, matcher_->match_elsewhere(*backing, false));
            if (match == BaseMatcher::Match::yes) return backing;
        }
        for (const auto& name : image.data_files) {
            SFG_TRY_ASSIGN(const auto match, matcher_->match_elsewhere(name, true));
            if (match == BaseMatcher::Match::yes) return std::optional(name);
        }
        return std::optional<std::string>();
    }

    Result<void> look_at(const std::string& path, const ImageInfo& image,
                         const std::string& since = "") {
        show_life();
        if (!image.unreadable && !names_further_files(image)) return {};
        const std::string who = described_to(pool_, path) + since;
        const std::string place = pool_.pool.address.volume + "/" + path;
        if (is_ignored(place)) return {};
        if (image.unreadable)
            return Error(ErrorKind::busy, EBUSY,
                         "volume " + who +
                             " cannot be read, and it may need this one (gluster "
                             "volume heal " +
                             pool_.pool.address.volume +
                             " info split-brain tells whether its copies differ, and gluster "
                             "volume heal " +
                             pool_.pool.address.volume +
                             " split-brain "
                             "latest-mtime '/" +
                             escaped(path) +
                             "' takes the latest one); if it is "
                             "sure not to, name it in ignore-images in /etc/libvirt/"
                             "sf-gluster.conf: " +
                             escaped(place));
        const auto& backing = image.backing ? image.backing : image.claimed_backing;
        if (backing && (!capacity_ || image.capacity > *capacity_))
            SFG_TRY(note(path, who, place, *backing, false));
        for (const auto& name : image.data_files) SFG_TRY(note(path, who, place, name, true));
        return {};
    }

    Result<void> note(const std::string& path, const std::string& who, const std::string& place,
                      const std::string& recorded, bool data) {
        SFG_TRY_ASSIGN(const auto match, matcher_->match(path, recorded, data));
        if (match == BaseMatcher::Match::no) return {};
        found_.push_back({who, place, recorded, data, match == BaseMatcher::Match::yes});
        return {};
    }

    const OpenPool& pool_;
    const Object& base_;
    const std::string path_;
    const std::optional<std::uint64_t> capacity_;
    std::unique_ptr<BaseMatcher> matcher_;
    std::vector<Dependant> found_;
};

// "volume 'a' of pool 'p'", "volumes 'a' of pool 'p', 'b' of pool 'p' and 3 more"
std::string list_of(const std::vector<Dependant>& dependants) {
    constexpr std::size_t kNamed = 5;
    std::string text = dependants.size() == 1 ? "volume " : "volumes ";
    for (std::size_t i = 0; i < dependants.size() && i < kNamed; ++i)
        text += (i == 0 ? "" : ", ") + dependants[i].who;
    if (dependants.size() > kNamed)
        text += " and " + std::to_string(dependants.size() - kNamed) + " more";
    return text;
}

Error in_the_way(const std::vector<Dependant>& found, bool only_tail) {
    const std::string loss =
        only_tail ? ", which would lose what is behind the new end" : std::string();
    std::vector<Dependant> bases, data;
    for (const auto& dependant : found)
        if (dependant.certain) (dependant.data ? data : bases).push_back(dependant);
    if (!bases.empty())
        return Error(ErrorKind::busy, EBUSY, "it is the base of " + list_of(bases) + loss);
    if (!data.empty())
        return Error(ErrorKind::busy, EBUSY, "it holds the data of " + list_of(data));
    const Dependant& first = found.front();
    return Error(
        ErrorKind::busy, EBUSY,
        "it may be " + std::string(first.data ? "the data" : "the base") + " of volume " +
            first.who + ", which names '" + escaped(first.name) +
            "', and what that means cannot be told here" +
            (found.size() > 1 ? " (and of " + std::to_string(found.size() - 1) + " more)" : "") +
            "; if it does not need this volume, record what it needs (qemu-img rebase -u -b BASE "
            "-F FORMAT IMAGE), or name it in ignore-images in /etc/libvirt/sf-gluster.conf: " +
            escaped(first.place));
}

}  // namespace

Result<void> check_no_dependants(const OpenPool& pool, const Object& base, const std::string& path,
                                 std::optional<std::uint64_t> capacity) {
    SFG_TRY_ASSIGN(const auto found, Search(pool, base, path, capacity).run());
    if (found.empty()) return {};
    return in_the_way(found, capacity.has_value());
}

}  // namespace sfg
