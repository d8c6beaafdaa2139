// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The C++ side of contract.h: translates structs, stops exceptions, decides nothing.
#include "driver/libvirt/contract.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <new>

#include "driver/core/log.hpp"
#include "driver/core/settings.hpp"
#include "driver/gluster/bounded.hpp"
#include "driver/libvirt/guarded.hpp"
#include "driver/libvirt/streams.hpp"
#include "driver/pools/catalogue.hpp"
#include "driver/pools/known_pools.hpp"
#include "driver/pools/names.hpp"
#include "driver/transfer/progress.hpp"
#include "driver/volumes/clone.hpp"
#include "driver/volumes/create.hpp"
#include "driver/volumes/guests.hpp"
#include "driver/volumes/listing.hpp"
#include "driver/volumes/remove.hpp"
#include "driver/volumes/resize.hpp"
#include "driver/volumes/volume_transfer.hpp"
#include "driver/volumes/wipe.hpp"

namespace {

using namespace sfg;

static_assert(static_cast<int>(SFG_LOG_ERROR) == static_cast<int>(LogLevel::error));
static_assert(static_cast<int>(SFG_ENCRYPTION_LUKS) ==
              static_cast<int>(ImageInfo::Encryption::luks));

std::atomic<sfg_log_sink> log_sink{nullptr};
std::atomic<sfg_prober> prober{nullptr};

Result<Pool> pool_of(const sfg_pool& pool) {
    std::vector<Server> servers;
    for (std::size_t i = 0; i < pool.server_count; ++i)
        servers.push_back({text_or_empty(pool.servers[i].host), pool.servers[i].port});
    return Pool::make(text_or_empty(pool.name), text_or_empty(pool.volume),
                      text_or_empty(pool.directory), std::move(servers));
}

// Runs `work` with the pool's directory; what fails makes the next call look it up anew.
template <typename T, typename Work>
Result<T> in_pool(const Pool& pool, const Work& work) {
    SFG_TRY_ASSIGN(const OpenPool open, recent_pool(pool));
    Result<T> done = work(open);
    if (!done) forget_recent_pool(pool);
    return done;
}

// The same for calls during which libvirt holds the pool's lock. `work` owns what it uses.
template <typename T>
Result<T> in_pool_bounded(const Pool& pool, std::function<Result<T>(const OpenPool&)> work) {
    SFG_TRY(connect_pool(pool));
    return run_bounded<T>(pool.address, pool.described(), settings().connect_timeout,
                          [pool, work = std::move(work)] { return in_pool<T>(pool, work); });
}

// The pool's directory, for work that may take as long as it takes and holds up nobody. Whether
// gluster answers at all is known sooner.
Result<OpenPool> open_bounded(const Pool& pool) {
    return in_pool_bounded<OpenPool>(pool,
                                     [](const OpenPool& found) { return Result<OpenPool>(found); });
}

// Runs long `work` with the pool's directory.
template <typename Work>
Result<void> in_pool_unbounded(const sfg_pool& given, const Work& work) {
    SFG_TRY_ASSIGN(const Pool pool, pool_of(given));
    SFG_TRY_ASSIGN(const OpenPool open, open_bounded(pool));
    const Result<void> done = work(open);
    if (!done) forget_recent_pool(pool);
    return done;
}

// Runs the making of a volume. Whatever kept it from being made, libvirt may now ask for its
// deletion, which is not to touch what stands under the name.
template <typename Make>
Result<void> making(const sfg_pool& pool, const char* name, const Make& make) {
    auto& catalogue = Catalogue::instance();
    const std::string in_pool = text_or_empty(pool.name);
    catalogue.note_failed_creation(in_pool, name);
    SFG_TRY(make());
    catalogue.take_failed_creation(in_pool, name);
    return {};
}

VolumeRequest request_of(const sfg_request& given) {
    VolumeRequest request;
    request.name = text_or_empty(given.name);
    request.directory = given.directory;
    request.format = text_or_empty(given.format);
    request.capacity = given.capacity;
    request.allocation = given.allocation;
    request.preallocate_metadata = given.preallocate_metadata;
    request.cluster_size = given.cluster_size;
    request.compat = text_or_empty(given.compat);
    request.has_features = given.has_features;
    request.lazy_refcounts = given.lazy_refcounts;
    request.extended_l2 = given.extended_l2;
    request.unknown_features = given.unknown_features;
    request.encrypted = given.encrypted;
    if (given.backing != nullptr)
        request.backing = BackingRequest{given.backing, text_or_empty(given.backing_format)};
    if (given.mode != static_cast<mode_t>(-1)) request.mode = given.mode;
    if (given.owner != static_cast<uid_t>(-1)) request.owner = given.owner;
    if (given.group != static_cast<gid_t>(-1)) request.group = given.group;
    return request;
}

int show(const ListedVolume& listed, sfg_volume_visitor visit, void* opaque) {
    sfg_volume volume{};
    volume.name = listed.name.c_str();
    volume.uri = listed.uri.c_str();
    volume.directory = listed.directory;
    volume.stat = &listed.stat;
    volume.format = listed.image->format.c_str();
    volume.capacity = listed.image->capacity;
    volume.cluster_size = listed.image->cluster_size;
    volume.compat = listed.image->compat.c_str();
    volume.lazy_refcounts = listed.image->lazy_refcounts;
    volume.extended_l2 = listed.image->extended_l2;
    volume.encryption = static_cast<sfg_encryption>(listed.image->encryption);
    volume.backing = listed.backing ? listed.backing->path.c_str() : nullptr;
    volume.backing_format = listed.backing ? listed.backing->format.c_str() : "";
    return visit(opaque, &volume);
}

Error visitor_refused() {
    return Error(ErrorKind::io, "");
}

void forward_log(LogLevel level, const char* message) {
    if (const sfg_log_sink sink = log_sink) sink(static_cast<sfg_log_level>(level), message);
}

void forward_probe(std::span<const std::byte> start, ImageInfo& info) {
    const sfg_prober probe = prober;
    if (probe == nullptr) return;
    const auto probed = std::make_unique<sfg_probed>();
    probe(start.data(), start.size(), probed.get());
    if (probed->format == nullptr) return;
    info.format = probed->format;
    if (probed->capacity != 0) info.capacity = probed->capacity;
    info.encryption = static_cast<ImageInfo::Encryption>(probed->encryption);
    if (probed->backing[0] != '\0') {
        info.backing = probed->backing;
        info.backing_format = probed->backing_format;
    }
}

}  // namespace

int sfg_contract_version(void) {
    return SFG_CONTRACT_VERSION;
}

void sfg_set_log_sink(sfg_log_sink sink) {
    log_sink = sink;
    set_log_sink(sink != nullptr ? &forward_log : nullptr);
}

void sfg_set_guest_lister(sfg_guest_lister lister) {
    set_guest_lister([lister](const GuestVisitor& visit) {
        const auto call = [](void* opaque, bool paused, const char* xml) {
            (*static_cast<const GuestVisitor*>(opaque))(paused, xml);
        };
        return lister(call, const_cast<GuestVisitor*>(&visit)) == 0;
    });
}

void sfg_set_prober(sfg_prober given) {
    prober = given;
    set_prober(&forward_probe);
}

int sfg_pool_refresh(const sfg_pool* pool, sfg_volume_visitor visit, void* opaque, sfg_usage* usage,
                     sfg_error* error) {
    return guarded(error, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const Pool known, pool_of(*pool));
        SFG_TRY_ASSIGN(const Listing listing, refresh_pool(known));
        for (const auto& volume : listing.volumes)
            if (show(volume, visit, opaque) != 0) return visitor_refused();
        usage->capacity = listing.usage.capacity;
        usage->allocation = listing.usage.allocation;
        usage->available = listing.usage.available;
        return {};
    });
}

int sfg_pool_build(const sfg_pool* pool, sfg_error* error) {
    return guarded(error, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const Pool known, pool_of(*pool));
        SFG_TRY(connect_pool(known));
        return run_bounded<void>(known.address, known.described(), settings().connect_timeout,
                                 [known] { return build_pool(known); });
    });
}

int sfg_pool_delete(const sfg_pool* pool, sfg_error* error) {
    return guarded(error, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const Pool known, pool_of(*pool));
        forget_recent_pool(known);
        SFG_TRY(connect_pool(known));
        return run_bounded<void>(known.address, known.described(), settings().connect_timeout,
                                 [known] { return delete_pool(known); });
    });
}

void sfg_pool_stopped(const sfg_pool* pool) {
    sfg_error ignored;
    guarded(&ignored, [&]() -> Result<void> {
        KnownPools::instance().remove(std::string(text_or_empty(pool->name)));
        Catalogue::instance().forget(text_or_empty(pool->name));
        if (const auto known = pool_of(*pool)) forget_recent_pool(*known);
        return {};
    });
}

int sfg_volume_check(const sfg_pool* pool, const sfg_request* request, char* uri, size_t size,
                     sfg_error* error) {
    return guarded(error, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const Pool known, pool_of(*pool));
        SFG_TRY(check_request(known, request_of(*request)));
        const std::string text = known.uri_of(join_path(known.directory, request->name));
        if (text.size() >= size) return Error(ErrorKind::invalid, "the volume's URI is too long");
        copy_text(uri, size, text);
        return {};
    });
}

int sfg_volume_create(const sfg_pool* pool, const sfg_request* request, sfg_error* error) {
    return guarded(error, [&] {
        const VolumeRequest wanted = request_of(*request);
        return making(*pool, request->name, [&] {
            return in_pool_unbounded(
                *pool, [&](const OpenPool& open) { return create_volume(open, wanted); });
        });
    });
}

int sfg_volume_clone(const sfg_pool* pool, const sfg_request* request, const sfg_source* source,
                     sfg_error* error) {
    return guarded(error, [&] {
        // Copied before anything is waited for: the caller's are libvirt's, without a lock.
        const VolumeRequest wanted = request_of(*request);
        const CloneSource from{text_or_empty(source->path), text_or_empty(source->format)};
        return making(*pool, request->name, [&] {
            return in_pool_unbounded(
                *pool, [&](const OpenPool& open) { return clone_volume(open, wanted, from); });
        });
    });
}

void sfg_volume_not_made(const sfg_pool* pool, const char* name) {
    sfg_error ignored;
    guarded(&ignored, [&] {
        Catalogue::instance().note_failed_creation(text_or_empty(pool->name), name);
        return Result<void>();
    });
}

bool sfg_volume_build_progress(const sfg_pool* pool, const char* name, uint64_t* bytes) {
    sfg_error ignored;
    bool known = false;
    guarded(&ignored, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const Pool of, pool_of(*pool));
        const auto done = Progress::of_build(of.uri_of(join_path(of.directory, name)));
        known = done.has_value();
        *bytes = done.value_or(0);
        return {};
    });
    return known;
}

bool sfg_volume_has_uri(const sfg_pool* pool, const char* name, const char* uri) {
    sfg_error ignored;
    bool same = false;
    guarded(&ignored, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const Pool of, pool_of(*pool));
        same = uri != nullptr && of.uri_of(join_path(of.directory, name)) == uri;
        return {};
    });
    return same;
}

int sfg_volume_look(const sfg_pool* pool, const char* name, sfg_volume_visitor visit, void* opaque,
                    sfg_error* error) {
    return guarded(error, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const Pool known, pool_of(*pool));
        SFG_TRY_ASSIGN(
            const ListedVolume volume,
            in_pool_bounded<ListedVolume>(known, [name = std::string(name)](const OpenPool& open) {
                return look_at_volume(open, name);
            }));
        return show(volume, visit, opaque) == 0 ? Result<void>() : visitor_refused();
    });
}

int sfg_volume_delete(const sfg_pool* pool, const char* name, sfg_error* error) {
    return guarded(error, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const Pool known, pool_of(*pool));
        if (was_never_made(known, name)) return {};
        return in_pool_bounded<void>(known, [name = std::string(name)](const OpenPool& open) {
            return delete_volume(open, name);
        });
    });
}

int sfg_volume_resize(const sfg_pool* pool, const char* name, uint64_t capacity, bool allocate,
                      bool shrink, sfg_error* error) {
    return guarded(error, [&] {
        return in_pool_unbounded(*pool, [&, which = std::string(name)](const OpenPool& open) {
            return resize_volume(open, which, {capacity, allocate, shrink});
        });
    });
}

int sfg_volume_wipe(const sfg_pool* pool, const char* name, sfg_wipe method, sfg_error* error) {
    return guarded(error, [&] {
        return in_pool_unbounded(*pool, [&, which = std::string(name)](const OpenPool& open) {
            return wipe_volume(open, which, static_cast<WipeMethod>(method));
        });
    });
}

int sfg_stream_download(const void* stream, const sfg_pool* pool, const char* name, uint64_t offset,
                        uint64_t length, bool sparse, int* descriptor, sfg_error* error) {
    return guarded(error, [&] {
        return in_pool_unbounded(*pool, [&](const OpenPool& open) -> Result<void> {
            SFG_TRY_ASSIGN(auto transfer, begin_download(open, name, {offset, length}, sparse));
            return Streams::instance().add(stream, std::move(transfer), *descriptor);
        });
    });
}

int sfg_stream_upload(const void* stream, const sfg_pool* pool, const char* name, uint64_t offset,
                      uint64_t length, int* descriptor, sfg_error* error) {
    return guarded(error, [&] {
        return in_pool_unbounded(*pool, [&](const OpenPool& open) -> Result<void> {
            SFG_TRY_ASSIGN(auto transfer, begin_upload(open, name, {offset, length}));
            return Streams::instance().add(stream, std::move(transfer), *descriptor);
        });
    });
}

namespace {

// Runs `work` with a stream; the number of bytes, SFG_STREAM_AGAIN or -1.
template <typename Work>
ssize_t moved(const void* stream, sfg_error* error, const Work& work) noexcept {
    ssize_t bytes = 0;
    const int done = guarded(error, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const auto transfer, Streams::instance().find(stream));
        SFG_TRY_ASSIGN(const std::optional<std::size_t> count, work(*transfer));
        bytes = count ? static_cast<ssize_t>(*count) : SFG_STREAM_AGAIN;
        return {};
    });
    return done == 0 ? bytes : -1;
}

}  // namespace

ssize_t sfg_stream_send(const void* stream, const char* bytes, size_t size, bool wait,
                        sfg_error* error) {
    return moved(stream, error, [&](Transfer& transfer) {
        return transfer.send(std::as_bytes(std::span(bytes, size)), wait);
    });
}

ssize_t sfg_stream_receive(const void* stream, char* buffer, size_t size, bool wait,
                           sfg_error* error) {
    return moved(stream, error, [&](Transfer& transfer) {
        return transfer.receive(std::as_writable_bytes(std::span(buffer, size)), wait);
    });
}

int sfg_stream_hole(const void* stream, uint64_t length, sfg_error* error) {
    return guarded(error, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const auto transfer, Streams::instance().find(stream));
        return transfer->hole(length);
    });
}

int sfg_stream_next(const void* stream, bool* data, uint64_t* length, sfg_error* error) {
    return guarded(error, [&]() -> Result<void> {
        SFG_TRY_ASSIGN(const auto transfer, Streams::instance().find(stream));
        SFG_TRY_ASSIGN(const Transfer::Section section, transfer->next_section());
        *data = section.data;
        *length = section.length;
        return {};
    });
}

void sfg_stream_alarm(const void* stream) {
    sfg_error ignored;
    guarded(&ignored, [&]() -> Result<void> {
        Streams::instance().alarm(stream);
        return {};
    });
}

int sfg_stream_finish(const void* stream, sfg_error* error) {
    return guarded(error, [&]() -> Result<void> {
        const auto transfer = Streams::instance().take(stream);
        return transfer == nullptr ? Result<void>() : transfer->finish();
    });
}

void sfg_stream_abort(const void* stream) {
    sfg_error ignored;
    guarded(&ignored, [&]() -> Result<void> {
        if (const auto transfer = Streams::instance().take(stream)) transfer->abort();
        return {};
    });
}
