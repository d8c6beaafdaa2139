// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/create.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include "driver/core/log.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/images/header_cache.hpp"
#include "driver/pools/catalogue.hpp"
#include "driver/pools/names.hpp"
#include "driver/pools/parents.hpp"
#include "driver/pools/temporaries.hpp"
#include "driver/qcow2/create.hpp"
#include "driver/volumes/build.hpp"
#include "driver/volumes/gate.hpp"

namespace sfg {
namespace {

std::string described(const Pool& pool, const VolumeRequest& request) {
    return volume_described(pool, request.name);
}

// What reading such an image would tell.
ImageInfo info_of(const qcow2::CreateOptions& options) {
    ImageInfo info;
    info.format = "qcow2";
    info.capacity = options.virtual_size;
    info.cluster_size = options.cluster_size;
    if (options.version >= 3) info.compat = "1.1";
    info.lazy_refcounts = options.lazy_refcounts;
    info.extended_l2 = options.extended_l2;
    info.backing = options.backing_file;
    info.backing_format = options.backing_format.value_or("");
    return info;
}

Result<void> write_raw(File& file, const VolumeRequest& request) {
    if (request.capacity > 0) SFG_TRY(file.resize(request.capacity));
    if (request.allocation > 0) SFG_TRY(file.allocate(0, request.allocation));
    return {};
}

Result<void> check_raw(const VolumeRequest& request) {
    auto refuse = [](ErrorKind kind, const std::string& why) { return Error(kind, why); };
    if (request.backing) return refuse(ErrorKind::unsupported, "a raw volume cannot have a base");
    if (request.preallocate_metadata)
        return refuse(ErrorKind::unsupported, "metadata preallocation is for qcow2 volumes only");
    if (!request.compat.empty() || request.has_features || request.cluster_size != 0)
        return refuse(ErrorKind::unsupported,
                      "compat, features and clusterSize are for qcow2 volumes only");
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
    if (request.capacity > kLargest)
        return refuse(ErrorKind::invalid, "a capacity of " + std::to_string(request.capacity) +
                                              " bytes is over what a file can hold");
    if (request.allocation > kLargest)
        return refuse(ErrorKind::invalid, "an allocation of " + std::to_string(request.allocation) +
                                              " bytes is over what a file can hold");
    return {};
}

Result<void> check_qcow2(const VolumeRequest& request) {
    if (!request.compat.empty() && request.compat != "0.10" && request.compat != "1.1")
        return Error(ErrorKind::unsupported, "qcow2 has the compat levels 0.10 and 1.1, not '" +
                                                 escaped(request.compat) + "'");
    if (request.unknown_features)
        return Error(ErrorKind::unsupported,
                     "it asks for a feature that this driver does not know");
    if (request.preallocate_metadata && request.backing)
        return Error(ErrorKind::unsupported,
                     "metadata preallocation conflicts with a base (backingStore)");
    if (request.capacity > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()))
        return Error(ErrorKind::invalid, "a capacity of " + std::to_string(request.capacity) +
                                             " bytes is over what qcow2 can hold");
    return qcow2::check_options(qcow2_options(request, std::nullopt));
}

// What is written into a new volume's file; returns what reading it would tell.
Result<std::optional<ImageInfo>> fill(Temporary& temporary, const VolumeRequest& request,
                                      const std::optional<Base>& base) {
    ImageInfo info;
    if (request.format == "qcow2") {
        const auto options = qcow2_options(request, base);
        SFG_TRY(qcow2::create(temporary.file(), options));
        info = info_of(options);
    } else {
        SFG_TRY(write_raw(temporary.file(), request));
        info.capacity = std::max(request.capacity, request.allocation);
    }
    return std::optional(info);
}

Result<Gfid> build_directory(const Object& parent, const VolumeRequest& request) {
    SFG_TRY_ASSIGN(const Object made, make_directory(parent, last_of(request.name),
                                                     request.mode.value_or(kDirectoryMode)));
    auto owned = made.set_ownership(std::nullopt, request.owner, request.group);
    if (owned) owned = make_durable(parent, last_of(request.name));
    if (!owned) {
        if (auto removed = remove_directory(parent, last_of(request.name)); !removed)
            log_warning("directory '" + escaped(request.name) +
                        "' stays behind: " + removed.error().message());
        return owned.error();
    }
    return made.gfid();
}

}  // namespace

qcow2::CreateOptions qcow2_options(const VolumeRequest& request, const std::optional<Base>& base) {
    qcow2::CreateOptions options;
    options.virtual_size = rounded_capacity(request.capacity);
    if (request.cluster_size != 0) options.cluster_size = request.cluster_size;
    options.version = request.compat == "0.10" ? 2 : 3;
    options.lazy_refcounts = request.lazy_refcounts;
    options.extended_l2 = request.extended_l2;
    if (request.preallocate_metadata)
        options.preallocation = request.allocation >= request.capacity
                                    ? qcow2::CreateOptions::Preallocation::falloc
                                    : qcow2::CreateOptions::Preallocation::metadata;
    if (base) {
        options.backing_file = base->recorded;
        options.backing_format = base->format;
        if (request.capacity == 0) options.virtual_size = rounded_capacity(base->capacity);
    }
    return options;
}

std::uint64_t rounded_capacity(std::uint64_t bytes) {
    return (bytes + 1023) / 1024 * 1024;
}

Result<void> check_request(const Pool& pool, const VolumeRequest& request) {
    if (auto named = check_volume_name(request.name); !named)
        return named.error().with_context(pool.described());
    auto check = [&]() -> Result<void> {
        if (join_path(pool.directory, request.name).size() > kLongestPath)
            return Error(ErrorKind::invalid,
                         "its path is longer than " + std::to_string(kLongestPath) + " bytes");
        if (request.directory) {
            if (request.backing || request.encrypted)
                return Error(ErrorKind::unsupported,
                             "a directory has neither a base nor encryption");
            return {};
        }
        if (request.encrypted)
            return Error(ErrorKind::unsupported,
                         "encrypted volumes are not supported in gluster pools");
        if (request.format == "raw") return check_raw(request);
        if (request.format == "qcow2") return check_qcow2(request);
        return Error(ErrorKind::unsupported, "volumes of the format '" + request.format +
                                                 "' cannot be created in gluster pools: use raw "
                                                 "or qcow2");
    };
    if (auto checked = check(); !checked)
        return checked.error().with_context(described(pool, request));
    return {};
}

Result<void> create_volume(const OpenPool& pool, const VolumeRequest& request) {
    SFG_TRY(check_request(pool.pool, request));
    const std::string path = join_path(pool.pool.directory, request.name);
    const std::string who = described(pool.pool, request);

    SFG_TRY(check_name_is_free(pool, request.name));
    std::optional<Base> base;
    if (request.backing) {
        auto found = find_base(pool, path, *request.backing);
        if (!found) return not_made(who, found.error());
        base = *std::move(found);
    }

    auto built =
        request.directory
            ? with_parents(pool, request.name,
                           [&](const Object& parent) { return build_directory(parent, request); })
            : build_file(
                  pool, request,
                  [&](Temporary& temporary) { return fill(temporary, request, base); },
                  [&] { return base ? check_still_there(*base) : Result<void>(); });
    if (!built) {
        remove_parents(pool, request.name);
        if (built.error().kind() == ErrorKind::exists)
            return exists_already(pool.pool, request.name);
        return not_made(who, built.error());
    }
    // With its image, while the base is held: from then on a deletion of that finds it here.
    Catalogue::instance().made(
        key_of(pool), path,
        {*built, {}, HeaderCache::instance().last_read(pool.volume_id(), *built)});
    return {};
}

}  // namespace sfg
