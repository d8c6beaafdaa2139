// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/gate.hpp"

#include <cerrno>

#include "driver/chains/dependants.hpp"
#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "driver/gluster/bounded.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/links.hpp"
#include "driver/images/inspect.hpp"
#include "driver/pools/catalogue.hpp"
#include "driver/pools/names.hpp"
#include "driver/pools/temporaries.hpp"

namespace sfg {
namespace {

Error gone() {
    return Error(ErrorKind::not_found, ENOENT,
                 "it does not exist any more; refresh the pool (virsh pool-refresh)");
}

Error another_file() {
    return Error(ErrorKind::busy, EBUSY,
                 "it is another file now than the one this host listed; refresh the pool (virsh "
                 "pool-refresh) and look again");
}

Result<void> check_is_file(const Object& object) {
    if (object.is_file()) return {};
    if (object.is_directory())
        return Error(ErrorKind::unsupported, EISDIR, "it is a directory, which has no data");
    return Error(ErrorKind::unsupported, "it is not a regular file");
}

Result<Object> look_up_name(const OpenPool& pool, const std::string& name) {
    SFG_TRY(check_volume_name(name));
    auto object = lookup_path(pool.directory, name);
    if (object) return object;
    const Error error = or_hidden(pool.connection(), object.error());
    return error.kind() == ErrorKind::not_found ? gone() : error;
}

}  // namespace

std::string volume_described(const Pool& pool, const std::string& name) {
    return "volume '" + escaped(name) + "' of " + pool.described();
}

Result<VolumeFile> look_up_to_read(const OpenPool& pool, const std::string& name) {
    SFG_TRY_ASSIGN(Object object, look_up_name(pool, name));
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

Result<void> TakenVolume::record_format(const std::string& format) {
    return sfg::record_format(object_, format);
}

std::string Gate::path() const {
    return join_path(pool_.pool.directory, name_);
}

// The file that stands under the name, if it is the one that this pool listed there. Of a name that
// it never listed, whatever is there.
Result<Object> Gate::look_up_listed() const {
    SFG_TRY_ASSIGN(Object object, look_up_name(pool_, name_));
    const auto listed = Catalogue::instance().listed(key_of(pool_), path());
    if (listed && *listed != object.gfid()) return another_file();
    return object;
}

// Nobody needs what is to be lost, and nobody came to need it while that was looked for: whoever
// makes a volume on it holds it until that volume can be seen. `used` is how it is held; null for
// what is no regular file.
Result<Attended> Gate::check_dependants(const Object& object, const Loss& loss,
                                        UsedFile* used) const {
    if (loss.of == Loss::Of::nothing) return Attended();
    const auto capacity = loss.of == Loss::Of::tail ? std::optional(loss.capacity) : std::nullopt;
    // Where bricks come and go it is the exception that a search meets that more than once.
    constexpr int kAttempts = 3;
    Attended attended;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        SFG_TRY_ASSIGN(const auto attendance, Attendance::begin(pool_.connection()));
        // From here on it is noticed when a brick is restarted, which forgets that it is held.
        if (used != nullptr) SFG_TRY(take_again(*used));
        SFG_TRY(check_no_dependants(pool_, object, path(), capacity));
        attended = attendance->end();
        show_life();
        if (attended.complete()) return attended;
        if (!attended.hidden.empty()) break;
    }
    return Error(
        ErrorKind::not_connected, ENOTCONN,
        "whether other volumes need it cannot be told: " + attended.why(pool_.pool.address.volume));
}

Result<TakenVolume> Gate::take(const std::string& doing, const Judge& judge) {
    SFG_TRY_ASSIGN(const Object listed, look_up_listed());
    if (listed.is_link())
        return Error(ErrorKind::unsupported, ELOOP,
                     "it is a symbolic link, through which nothing is changed: name the volume "
                     "that it leads to");
    SFG_TRY(check_is_file(listed));
    SFG_TRY_ASSIGN(UsedFile used, use_exclusively(listed, doing, ChangeLeave()));
    // Only now is it sure to stay, and to stay as it is: another host may have deleted, replaced or
    // changed it before.
    SFG_TRY_ASSIGN(Object current, look_up_listed());
    if (current.gfid() != listed.gfid()) return another_file();
    auto image = inspect_cached(current);
    if (!image) return or_hidden(pool_.connection(), image.error());
    SFG_TRY_ASSIGN(const Loss loss, judge(**image));
    SFG_TRY_ASSIGN([[maybe_unused]] const auto attended, check_dependants(current, loss, &used));
    return TakenVolume(std::move(current), path(), *std::move(image), std::move(used));
}

Result<TakenVolume> Gate::take(const std::string& doing) {
    return take(doing, [](const ImageInfo&) { return Result<Loss>(Loss()); });
}

// Nobody needs it, it still stands there, and no brick can have forgotten who holds it since.
Result<void> Gate::check_unneeded(const Object& object, UsedFile* used) const {
    SFG_TRY_ASSIGN(Attended attended, check_dependants(object, Loss(), used));
    // The bricks have been asked since it was looked at last, and a mount does not ask for our
    // locks.
    SFG_TRY_ASSIGN(const Object current, look_up_listed());
    if (current.gfid() != object.gfid()) return another_file();
    if (attended.is_recent()) return {};
    attended.steady = false;
    return Error(ErrorKind::not_connected, ENOTCONN, attended.why(pool_.connection()->volume()));
}

Result<void> Gate::remove() {
    return remove(true);
}

Result<void> Gate::remove_unneeded() {
    return remove(false);
}

Result<void> Gate::remove(bool may_be_needed) {
    constexpr char kDoing[] = "it is being deleted";
    SFG_TRY_ASSIGN(const Object listed, look_up_listed());
    // What is not a regular file cannot be opened and locked.
    FileHold hold;
    std::optional<UsedFile> used;
    if (listed.is_file()) {
        SFG_TRY_ASSIGN(used, use_exclusively(listed, kDoing, ChangeLeave()));
    } else {
        SFG_TRY_ASSIGN(hold, hold_object(listed, FileUse::exclusive, kDoing));
    }
    SFG_TRY_ASSIGN(const Object parent, lookup_path(pool_.directory, parent_of(name_)));
    if (may_be_needed && !listed.is_directory()) {
        SFG_TRY(check_unneeded(listed, used ? &*used : nullptr));
    } else {
        SFG_TRY_ASSIGN(const Object current, look_up_listed());
        if (current.gfid() != listed.gfid()) return another_file();
    }
    auto removed = listed.is_directory() ? remove_directory(parent, last_of(name_))
                                         : remove_file(parent, last_of(name_), ChangeLeave());
    if (!removed && removed.error().kind() == ErrorKind::not_found) {
        // The brick looks at the directory once more after it has removed the name
        // (posix-entry-ops.c, posix_unlink), and says ENOENT when another host has removed the
        // directory by then. What stood there a moment ago and does not any more is deleted.
        const auto still = lookup(parent, last_of(name_));
        if (!still && still.error().kind() == ErrorKind::not_found) removed = Result<void>();
    }
    if (!removed) return removed;
    Catalogue::instance().deleted(pool_.volume_id(), path(), listed.gfid());
    // It is done, whatever becomes of this. Not by a flush of the file itself: what it has in the
    // bricks' caches is nobody's any more.
    used.reset();
    show_life();
    const auto flushed = make_durable(parent, last_of(name_));
    if (!flushed)
        log_warning(volume_described(pool_.pool, name_) +
                    " is deleted, and may come back if the bricks lose power: " +
                    flushed.error().message());
    return {};
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
