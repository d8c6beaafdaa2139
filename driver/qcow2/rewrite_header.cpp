// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/rewrite_header.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/base_names.hpp"
#include "driver/qcow2/extension_writer.hpp"
#include "driver/qcow2/geometry.hpp"
#include "driver/qcow2/header.hpp"
#include "driver/qcow2/header_bytes.hpp"
#include "driver/qcow2/layout.hpp"

namespace sfg::qcow2 {

namespace {

using Bytes = std::vector<std::byte>;

Error unsupported(std::string sentence) {
    return Error(ErrorKind::unsupported, std::move(sentence));
}

Result<void> check_changes(const Header& header, const HeaderChanges& changes) {
    if (header.corrupt()) {
        return Error(ErrorKind::corrupt,
                     "the image is marked as corrupt: `qemu-img check -r all` mends what can be "
                     "mended");
    }
    if (changes.lazy_refcounts.value_or(false) && header.version < 3)
        return unsupported("lazy refcounts need qcow2 version 3 (compat 1.1)");
    if (!changes.change_base || !changes.base) return {};
    if (header.external_data_is_raw())
        return unsupported("an image with raw external data has no backing file");
    return check_base_names(changes.base->file, changes.base->format);
}

Result<Bytes> read_first_cluster(ByteSource& file, const Header& header) {
    Bytes bytes(static_cast<std::size_t>(header.cluster_size()));
    for (std::size_t done = 0; done < bytes.size();) {
        SFG_TRY_ASSIGN(const std::size_t got, file.read_at(done, std::span(bytes).subspan(done)));
        if (got == 0) break;
        done += got;
    }
    return bytes;
}

// Appends all extensions of the old header but the backing format's, whose place the base's own
// takes. Returns where the old ones end. That they are well-formed is known from read_header().
std::size_t copy_extensions(const Header& header, std::span<const std::byte> old, Bytes& out) {
    std::size_t at = header.header_length;
    const std::size_t end = static_cast<std::size_t>(
        header.backing_file_offset != 0 ? header.backing_file_offset : old.size());
    while (end > at && end - at >= kExtensionHeader) {
        const auto type = load_be<std::uint32_t>(old, at);
        const auto length = load_be<std::uint32_t>(old, at + 4);
        at += kExtensionHeader;
        if (type == extension::kEnd || length > end - at) break;
        if (type != extension::kBackingFormat) add_extension(out, type, old.subspan(at, length));
        at += static_cast<std::size_t>(extension_size(length) - kExtensionHeader);
    }
    return std::min(at, old.size());
}

// The header with another base, and zeros where the old one reached further.
Result<Bytes> with_base(const Header& header, std::span<const std::byte> old,
                        const std::optional<RecordedBase>& base) {
    Bytes out(old.begin(), old.begin() + header.header_length);
    if (base && base->format)
        add_extension(out, extension::kBackingFormat, bytes_of(*base->format));
    std::size_t old_end = copy_extensions(header, old, out);
    add_extension(out, extension::kEnd, 0);
    if (header.backing_file) {
        old_end = std::max(old_end, static_cast<std::size_t>(header.backing_file_offset) +
                                        header.backing_file->size());
    }

    std::uint64_t name_offset = 0;
    std::size_t name_size = 0;
    if (base) {
        name_offset = out.size();
        name_size = base->file.size();
        const auto name = bytes_of(base->file);
        out.insert(out.end(), name.begin(), name.end());
    }
    if (out.size() > header.cluster_size()) {
        return unsupported("the name of the backing file, of " + std::to_string(name_size) +
                           " bytes, does not fit the image's header with clusters of " +
                           std::to_string(header.cluster_size()) + " bytes");
    }
    store_be<std::uint64_t>(out, field::kBackingFileOffset, name_offset);
    store_be<std::uint32_t>(out, field::kBackingFileSize, static_cast<std::uint32_t>(name_size));
    out.resize(std::max(out.size(), old_end));
    return out;
}

}  // namespace

Result<void> rewrite_header(ByteSource& file, const HeaderChanges& changes) {
    SFG_TRY_ASSIGN(const Header header, read_header(file));
    SFG_TRY(check_changes(header, changes));
    SFG_TRY_ASSIGN(Bytes bytes, read_first_cluster(file, header));
    if (changes.change_base) {
        SFG_TRY_ASSIGN(bytes, with_base(header, bytes, changes.base));
    } else {
        bytes.resize(header.header_length);
    }
    if (header.version >= 3) {
        std::uint64_t compatible_features = header.compatible_features;
        if (changes.lazy_refcounts) {
            compatible_features &= ~compatible::kLazyRefcounts;
            if (*changes.lazy_refcounts) compatible_features |= compatible::kLazyRefcounts;
        }
        store_be<std::uint64_t>(bytes, field::kCompatibleFeatures, compatible_features);
        store_be<std::uint64_t>(bytes, field::kAutoclearFeatures,
                                header.autoclear_features & autoclear::kKnown);
    }
    return file.write_at(0, bytes);
}

}  // namespace sfg::qcow2
