// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/images/inspect.hpp"

#include <atomic>
#include <vector>

#include "driver/images/header_cache.hpp"
#include "driver/images/vmdk_extents.hpp"
#include "driver/qcow2/header.hpp"

namespace sfg {
namespace {

std::atomic<Prober> current_prober{nullptr};

void apply(const qcow2::Header& header, ImageInfo& info) {
    info.format = "qcow2";
    info.capacity = header.virtual_size;
    info.cluster_size = header.cluster_size();
    info.lazy_refcounts = header.lazy_refcounts();
    info.extended_l2 = header.extended_l2();
    if (header.version >= 3) info.compat = "1.1";
    if (header.crypt_method == 1) info.encryption = ImageInfo::Encryption::qcow;
    if (header.crypt_method == 2) info.encryption = ImageInfo::Encryption::luks;
    info.external_data = header.has_external_data_file();
    // Also where the feature's bit is not set: it is one bit that makes it count.
    if (header.external_data_file) info.data_files.push_back(*header.external_data_file);
    info.backing = header.backing_file;
    info.backing_format = header.backing_format.value_or("");
}

}  // namespace

void set_prober(Prober prober) {
    current_prober = prober;
}

ImageInfo inspect_bytes(
    std::span<const std::byte> start_of_file, std::uint64_t file_size,
    const std::function<Result<std::size_t>(std::uint64_t, std::span<std::byte>)>& read_more) {
    ImageInfo info;
    info.capacity = file_size;
    const auto version = qcow2::version_number(start_of_file);
    const bool is_qcow2 = version == 2U || version == 3U;
    if (is_qcow2) {
        if (const auto header = qcow2::parse_header(start_of_file, read_more)) {
            apply(*header, info);
            info.unpadded = file_size % 512 != 0;
            return info;
        } else {
            info.damage = header.error().message();
        }
    }
    if (const Prober prober = current_prober) prober(start_of_file, info);
    if (is_qcow2) {
        info.format = "qcow2";
        info.claimed_backing = std::move(info.backing);
        info.backing.reset();
        info.backing_format.clear();
    }
    // A version to come is no format that is known here, and has its names where these have them.
    if (is_qcow2 || version > 3U) {
        auto claimed = qcow2::claimed_names(start_of_file, read_more);
        if (claimed.backing_file) info.claimed_backing = std::move(claimed.backing_file);
        info.data_files = std::move(claimed.data_files);
    } else {
        info.data_files = vmdk_extents(start_of_file, read_more);
    }
    return info;
}

Result<ImageInfo> inspect_file(ByteSource& file) {
    std::vector<std::byte> start(kHeaderBytes);
    SFG_TRY_ASSIGN(const std::size_t length, file.read_at(0, start));
    SFG_TRY_ASSIGN(const std::uint64_t size, file.size());
    return inspect_bytes(std::span(start).first(length), size,
                         [&](std::uint64_t offset, std::span<std::byte> buffer) {
                             return file.read_at(offset, buffer);
                         });
}

ImageInfo as_recorded(ImageInfo seen, const std::string& recorded, std::uint64_t file_size) {
    if (recorded == "qcow2") return seen;
    if (recorded == "raw" || recorded == "iso" || recorded != seen.format) {
        ImageInfo info;
        if (recorded == "iso") info.format = recorded;
        info.capacity = file_size;
        return info;
    }
    seen.claimed_backing = std::move(seen.backing);
    seen.backing.reset();
    seen.backing_format.clear();
    return seen;
}

Result<ImageInfo> inspect_object(const Object& file) {
    std::vector<std::byte> start(kHeaderBytes);
    std::size_t length = 0;
    if (file.stat().st_size > 0) {
        SFG_TRY_ASSIGN(length, file.read(0, start));
    }
    const auto size = static_cast<std::uint64_t>(file.stat().st_size);
    ImageInfo info = inspect_bytes(std::span(start).first(length), size,
                                   [&](std::uint64_t offset, std::span<std::byte> buffer) {
                                       return file.read(offset, buffer);
                                   });
    if (info.format != "raw" || !info.data_files.empty() || info.claimed_backing) {
        SFG_TRY_ASSIGN(const auto recorded, file.attribute(kFormatAttribute));
        if (recorded) info = as_recorded(std::move(info), *recorded, size);
    }
    return info;
}

Result<std::shared_ptr<const ImageInfo>> inspect_cached(const Object& file) {
    auto& cache = HeaderCache::instance();
    if (auto known = cache.find(file.connection()->volume_id(), file.gfid(), file.stat()))
        return known;
    SFG_TRY_ASSIGN(ImageInfo info, inspect_object(file));
    auto shared = std::make_shared<const ImageInfo>(std::move(info));
    cache.insert(file, shared);
    return std::shared_ptr<const ImageInfo>(shared);
}

}  // namespace sfg
