// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/clone.hpp"

#include <cerrno>

#include "driver/chains/chain.hpp"
#include "driver/core/fuse_mounts.hpp"
#include "driver/core/local_file.hpp"
#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/links.hpp"
#include "driver/gluster/uri.hpp"
#include "driver/images/inspect.hpp"
#include "driver/pools/catalogue.hpp"
#include "driver/pools/names.hpp"
#include "driver/pools/parents.hpp"
#include "driver/qcow2/header.hpp"
#include "driver/qcow2/preallocate.hpp"
#include "driver/qcow2/resize.hpp"
#include "driver/qcow2/rewrite_header.hpp"
#include "driver/transfer/copy.hpp"
#include "driver/transfer/progress.hpp"
#include "driver/volumes/build.hpp"
#include "driver/volumes/conversion.hpp"
#include "driver/volumes/finish_upload.hpp"
#include "driver/volumes/gate.hpp"
#include "driver/volumes/guests.hpp"

namespace sfg {
namespace {

constexpr char kDoing[] = "it is being copied";

// On a FUSE mount a stranger may put links, so nothing on one is opened by its path: a volume that
// a pool here has is reached over gfapi.
Result<ChainImage> open_local_source(const CloneSource& source, const std::string& who) {
    if (const auto fuse = fuse_path(source.path)) {
        SFG_TRY_ASSIGN(auto place, place_of_fuse_path(source.path, *fuse));
        if (place) return chain_image_in_gluster(*std::move(place), who, kDoing);
        if (fuse->volume.empty())
            return Error(ErrorKind::denied,
                         who +
                             " is on a FUSE mount that does not tell its gluster volume: mount it "
                             "by the volume's name");
        return Error(ErrorKind::denied, who + " is on a FUSE mount of the gluster volume '" +
                                            fuse->volume +
                                            "', which no active pool has: define and start one");
    }
    SFG_TRY_ASSIGN(auto file, LocalFile::open(source.path, LocalFile::Mode::read_only));
    return local_chain_image(std::move(file), source.path, source.format);
}

Result<ChainImage> open_source(const OpenPool& pool, const CloneSource& source) {
    const std::string who = "the source '" + escaped(source.path) + "'";
    auto open = [&]() -> Result<ChainImage> {
        if (!is_gluster_uri(source.path)) return open_local_source(source, who);
        SFG_TRY_ASSIGN(Place place, place_of_requested_uri(source.path));
        return chain_image_in_gluster(std::move(place), who, kDoing);
    };
    SFG_TRY_ASSIGN(ChainImage image, open());
    if (image.place) SFG_TRY(check_is_listed(pool, *image.place, image.gfid, who));
    const auto kept = image.place
                          ? check_copyable(*image.used, *image.place, image.format == "raw", who)
                      // A raw file of this host may be copied under its guest, as libvirt does it.
                      : image.format == "raw" ? Result<void>()
                                              : keep_guests_from_writing(*image.file);
    if (!kept) return kept.error().with_context(who);
    return image;
}

// The same file, under whatever names?
Result<bool> is_base_of(const ChainImage& image, const Base& base) {
    if (!image.info.backing) return false;
    const auto recorded = place_of_recorded(image.place, read_recorded_name(*image.info.backing));
    if (!recorded || !base.place) {
        return !recorded && !base.place && image.info.backing->starts_with('/') &&
               base.recorded.starts_with('/') &&
               normalized(*image.info.backing) == normalized(base.recorded);
    }
    if (recorded->connection->volume_id() != base.place->connection->volume_id()) return false;
    const auto found = follow_links(recorded->connection, recorded->path);
    if (!found) {
        if (found.error().kind() == ErrorKind::not_found) return false;
        return found.error();
    }
    return found->object.gfid() == base.gfid;
}

class Clone {
  public:
    Clone(const OpenPool& pool, const VolumeRequest& request, ChainImage source,
          const std::optional<Base>& base)
        : pool_(pool),
          request_(request),
          path_(join_path(pool.pool.directory, request.name)),
          source_(std::move(source)),
          base_(base),
          progress_(volume_described(pool.pool, request.name) + ": copied", source_.info.capacity,
                    pool.pool.uri_of(path_)) {}

    Result<std::optional<ImageInfo>> fill(Temporary& temporary) {
        SFG_TRY_ASSIGN(const bool as_it_is, can_be_copied());
        if (!as_it_is)
            SFG_TRY(convert(temporary));
        else if (request_.format == "raw")
            SFG_TRY(copy_raw(temporary.file()));
        else
            SFG_TRY(copy_qcow2(temporary.file()));
        return std::optional<ImageInfo>();
    }

    // What was copied is still held, and nobody has written to it meanwhile: no host that came when
    // a brick had forgotten the lock, and no guest over gfapi, which takes none.
    Result<void> check_sources() const {
        for (const auto& image : chain_) {
            if (!image.used) continue;
            if (auto same = check_source(image); !same)
                return same.error().with_context("the source " + image.described());
        }
        return {};
    }

  private:
    static Result<void> check_source(const ChainImage& image) {
        SFG_TRY(take_again(*image.used));
        const bool raw = image.format == "raw";
        if (raw && settings().copies_of_running) return {};
        Place place = *image.place;
        SFG_TRY_ASSIGN(const Object now, look_up_place(place, "it"));
        const auto same_time = [](const timespec& one, const timespec& other) {
            return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
        };
        if (now.gfid() == image.gfid && now.stat().st_size == image.stat.st_size &&
            same_time(now.stat().st_mtim, image.stat.st_mtim))
            return {};
        return Error(
            ErrorKind::busy, EBUSY,
            "it was written to while it was copied, so that the copy is of no one point in "
            "time: see virsh backup-begin and virsh blockcopy, or suspend its guest "
            "meanwhile");
    }

    // By its bytes, or must qemu-img understand them?
    Result<bool> can_be_copied() {
        if (source_.format != request_.format) return false;
        if (source_.format == "raw") return true;
        if (source_.format != "qcow2") return false;
        const auto file = source_file();
        SFG_TRY_ASSIGN(const qcow2::Header header, qcow2::read_header(*file));
        if (header.corrupt())
            return Error(ErrorKind::corrupt,
                         "the source says of itself that it is damaged (qemu-img check tells "
                         "more)");
        if (header.has_bitmaps && rounded_capacity(request_.capacity) > source_.info.capacity)
            return Error(ErrorKind::unsupported,
                         "the source has persistent bitmaps, which do not grow with a copy of it: "
                         "ask for its own capacity, or remove them (qemu-img bitmap --remove)");
        // Stale refcounts would be copied, and cannot be grown.
        if (header.dirty()) return false;
        const std::uint32_t version = request_.compat.empty()
                                          ? (request_.has_features ? 3 : header.version)
                                          : (request_.compat == "0.10" ? 2 : 3);
        if (version != header.version) return false;
        if (request_.cluster_size != 0 && request_.cluster_size != header.cluster_size())
            return false;
        if (request_.has_features && request_.extended_l2 != header.extended_l2()) return false;
        if (!base_) return !source_.info.backing;
        return is_base_of(source_, *base_);
    }

    std::shared_ptr<ByteSource> source_file() const {
        if (source_.place) return std::shared_ptr<ByteSource>(source_.used, &source_.used->file);
        return source_.file;
    }

    Result<void> copy_all(ByteSource& to) {
        const auto from = source_file();
        SFG_TRY_ASSIGN(const std::uint64_t size, from->size());
        return copy_data(*from, to, size, [&](std::uint64_t bytes) -> Result<void> {
            progress_.advance(bytes);
            return {};
        });
    }

    Result<void> copy_raw(ByteSource& file) {
        if (wants_all_on_disk()) SFG_TRY(file.allocate(0, request_.capacity));
        SFG_TRY(copy_all(file));
        return grow_raw(file);
    }

    bool wants_all_on_disk() const {
        return request_.capacity > 0 && request_.allocation >= request_.capacity;
    }

    Result<void> grow_raw(ByteSource& file) {
        SFG_TRY_ASSIGN(const std::uint64_t size, file.size());
        if (size < request_.capacity) SFG_TRY(file.resize(request_.capacity));
        return {};
    }

    Result<void> copy_qcow2(ByteSource& file) {
        SFG_TRY(copy_all(file));
        SFG_TRY(pad_image(file, source_.info.cluster_size));
        qcow2::HeaderChanges changes;
        if (base_) {
            changes.change_base = true;
            changes.base = qcow2::RecordedBase{base_->recorded, base_->format};
        }
        if (request_.has_features && request_.lazy_refcounts != source_.info.lazy_refcounts)
            changes.lazy_refcounts = request_.lazy_refcounts;
        if (changes.change_base || changes.lazy_refcounts)
            SFG_TRY(qcow2::rewrite_header(file, changes));
        SFG_TRY(grow_qcow2(file));
        if (request_.preallocate_metadata)
            SFG_TRY(qcow2::preallocate(file, qcow2_options(request_, base_).preallocation));
        return {};
    }

    Result<void> grow_qcow2(ByteSource& file) {
        const std::uint64_t wanted = rounded_capacity(request_.capacity);
        if (wanted <= source_.info.capacity) return {};
        qcow2::ResizeOptions options;
        options.virtual_size = wanted;
        if (base_) options.base_size = base_->capacity;
        return qcow2::resize(file, options);
    }

    Result<void> convert(Temporary& temporary) {
        SFG_TRY_ASSIGN(chain_, walk_chain(source_, kDoing));
        if (base_) SFG_TRY(qcow2::create(temporary.file(), options_of_target()));
        SFG_TRY(convert_chain(chain_, pool_, temporary, path_, request_, base_, progress_));
        return request_.format == "raw" ? grow_raw(temporary.file()) : grow_qcow2(temporary.file());
    }

    // A target with a base is made here and filled by qemu-img: it has the source's contents, and
    // what the source reads as zeros hides the base. Of the source's size: qemu-img fills no more,
    // and what is behind it would show the base.
    qcow2::CreateOptions options_of_target() const {
        constexpr std::uint64_t kSector = 512;
        auto options = qcow2_options(request_, base_);
        options.virtual_size = (source_.info.capacity + kSector - 1) / kSector * kSector;
        return options;
    }

    const OpenPool& pool_;
    const VolumeRequest& request_;
    const std::string path_;
    const ChainImage source_;
    std::vector<ChainImage> chain_{source_};  // the images that are read
    const std::optional<Base>& base_;
    Progress progress_;
};

}  // namespace

Result<void> clone_volume(const OpenPool& pool, const VolumeRequest& request,
                          const CloneSource& source) {
    SFG_TRY(check_request(pool.pool, request));
    const std::string path = join_path(pool.pool.directory, request.name);
    const std::string who = volume_described(pool.pool, request.name);
    auto work = [&]() -> Result<Gfid> {
        if (request.directory)
            return Error(ErrorKind::unsupported, "a directory cannot be a copy of a volume");
        SFG_TRY(check_name_is_free(pool, request.name));
        SFG_TRY_ASSIGN(ChainImage image, open_source(pool, source));
        std::optional<Base> base;
        if (request.backing) {
            SFG_TRY_ASSIGN(base, find_base(pool, path, *request.backing));
        }
        Clone clone(pool, request, std::move(image), base);
        const auto check_base = [&] { return base ? check_still_there(*base) : Result<void>(); };
        auto made = build_file(
            pool, request,
            [&](Temporary& temporary) -> Result<std::optional<ImageInfo>> {
                SFG_TRY_ASSIGN(auto info, clone.fill(temporary));
                SFG_TRY(clone.check_sources());
                return info;
            },
            check_base);
        // With its image, while the base is held: from then on a deletion of that finds it here.
        if (made) {
            std::shared_ptr<const ImageInfo> read;
            if (const auto object = base ? lookup_path(pool.directory, request.name)
                                         : Result<Object>(Error(ErrorKind::not_found, ""));
                object && object->gfid() == *made)
                if (auto inspected = inspect_cached(*object)) read = *std::move(inspected);
            Catalogue::instance().made(key_of(pool), path, {*made, {}, std::move(read)});
        }
        return made;
    };
    const auto built = work();
    if (!built) {
        remove_parents(pool, request.name);
        if (built.error().kind() == ErrorKind::exists)
            return exists_already(pool.pool, request.name);
        return not_made(who, built.error());
    }
    return {};
}

}  // namespace sfg
