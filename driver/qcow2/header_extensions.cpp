// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/header_extensions.hpp"

#include <algorithm>
#include <bit>

#include "driver/core/big_endian.hpp"
#include "driver/core/log.hpp"
#include "driver/qcow2/geometry.hpp"
#include "driver/qcow2/layout.hpp"

namespace sfg::qcow2 {

namespace {

bool is_known(std::uint32_t type) {
    switch (type) {
        case extension::kBackingFormat:
        case extension::kFeatureNameTable:
        case extension::kBitmaps:
        case extension::kEncryptionHeader:
        case extension::kDataFileName:
            return true;
        default:
            return false;
    }
}

Error corrupt(std::string sentence) {
    return Error(ErrorKind::corrupt, std::move(sentence));
}

std::string hex(std::uint32_t value) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out = "0x";
    for (int shift = 28; shift >= 0; shift -= 4) out.push_back(kDigits[(value >> shift) & 15]);
    return out;
}

// The name that the image gives a feature, or nothing.
std::optional<std::string> feature_name(unsigned bit, std::uint8_t type,
                                        const Extensions& extensions, HeaderBytes& bytes) {
    const auto table = extensions.find(extension::kFeatureNameTable);
    if (!table) return std::nullopt;
    // There are 3 feature fields of 64 bits: a longer table repeats itself.
    const std::uint64_t entries = std::min<std::uint64_t>(table->length / kFeatureEntry, 3 * 64);
    for (std::uint64_t i = 0; i < entries; ++i) {
        const auto entry = bytes.get(table->offset + i * kFeatureEntry, kFeatureEntry);
        if (!entry) return std::nullopt;
        if (std::to_integer<std::uint8_t>((*entry)[0]) != type ||
            std::to_integer<unsigned>((*entry)[1]) != bit)
            continue;
        std::string name = text_of(entry->subspan(2, kFeatureNameLength));
        name.resize(std::min(name.size(), name.find('\0')));
        if (!name.empty()) return name;
    }
    return std::nullopt;
}

}  // namespace

Result<void> Extensions::read(HeaderBytes& bytes, std::uint64_t begin, std::uint64_t end) {
    std::uint64_t offset = begin;
    for (unsigned i = 0; offset < end; ++i) {
        if (i == kMaxCount)
            return corrupt("the qcow2 header has more than " + std::to_string(kMaxCount) +
                           " extensions");
        if (end - offset < kExtensionHeader) {
            return corrupt("the qcow2 header extension at byte " + std::to_string(offset) +
                           " reaches beyond the area of extensions, which ends at byte " +
                           std::to_string(end));
        }
        SFG_TRY_ASSIGN(const auto head, bytes.get(offset, kExtensionHeader));
        const std::uint32_t type = load_be<std::uint32_t>(head, 0);
        const std::uint32_t length = load_be<std::uint32_t>(head, 4);
        offset += kExtensionHeader;
        if (length > end - offset) {
            return corrupt("the qcow2 header extension " + hex(type) + " has a length of " +
                           std::to_string(length) + " bytes, but its area has only " +
                           std::to_string(end - offset) + " left");
        }
        if (type == extension::kEnd) return {};
        if (is_known(type)) {
            // "Each header extension type shall appear at most once": readers that take the first
            // and readers that take the last would see different images.
            if (find(type))
                return corrupt("the qcow2 header extension " + hex(type) + " appears twice");
            known_[count_++] = Place{type, offset, length};
        }
        offset += divide_up(length, kExtensionUnit) * kExtensionUnit;
    }
    return {};
}

std::optional<Extensions::Place> Extensions::find(std::uint32_t type) const {
    for (std::size_t i = 0; i < count_; ++i)
        if (known_[i].type == type) return known_[i];
    return std::nullopt;
}

Result<std::optional<std::string>> Extensions::text(HeaderBytes& bytes, std::uint32_t type,
                                                    std::string_view name,
                                                    std::uint32_t max) const {
    const auto place = find(type);
    if (!place || place->length == 0) return std::optional<std::string>();
    if (place->length > max) {
        return corrupt("the " + std::string(name) + " in the qcow2 header has " +
                       std::to_string(place->length) + " bytes, which is more than " +
                       std::to_string(max));
    }
    SFG_TRY_ASSIGN(const auto data, bytes.get(place->offset, place->length));
    std::string text = text_of(data);
    if (text.find('\0') != std::string::npos)
        return corrupt("the " + std::string(name) + " in the qcow2 header contains a NUL byte");
    return std::optional<std::string>(std::move(text));
}

Result<void> Extensions::check_encryption(HeaderBytes& bytes, std::uint32_t crypt_method,
                                          std::uint64_t cluster_size) const {
    const auto place = find(extension::kEncryptionHeader);
    if (crypt_method != kCryptLuks) {
        if (!place) return {};
        return damaged("crypt_method", crypt_method,
                       "but there is an encryption header, which only LUKS has");
    }
    if (!place) return damaged("crypt_method", crypt_method, "but there is no LUKS header");
    if (place->length != kEncryptionExtensionLength) {
        return corrupt("the encryption extension of the qcow2 header has " +
                       std::to_string(place->length) + " bytes, which is not 16");
    }
    SFG_TRY_ASSIGN(const auto data, bytes.get(place->offset, kEncryptionExtensionLength));
    const std::uint64_t offset = load_be<std::uint64_t>(data, 0);
    if (offset % cluster_size != 0)
        return damaged("encryption header offset", offset, "which is not on a cluster boundary");
    return {};
}

Result<void> Extensions::check_bitmaps(HeaderBytes& bytes, std::uint64_t cluster_size) const {
    const auto place = find(extension::kBitmaps);
    if (!place || place->length != kBitmapsExtensionLength)
        return corrupt("the bitmaps extension of the qcow2 header does not have 24 bytes");
    SFG_TRY_ASSIGN(const auto data, bytes.get(place->offset, kBitmapsExtensionLength));
    const std::uint32_t count = load_be<std::uint32_t>(data, kBitmapsCount);
    if (count == 0 || count > kMaxBitmaps)
        return damaged("nb_bitmaps", count, "which is not between 1 and 65535");
    const std::uint32_t reserved = load_be<std::uint32_t>(data, kBitmapsReserved);
    if (reserved != 0) return damaged("bitmaps extension reserved", reserved, "which is not 0");
    const std::uint64_t size = load_be<std::uint64_t>(data, kBitmapsDirectorySize);
    if (size > std::uint64_t{1024} * kMaxBitmaps)
        return damaged("bitmap_directory_size", size, "which is more than 64 MiB");
    const std::uint64_t offset = load_be<std::uint64_t>(data, kBitmapsDirectoryOffset);
    if (offset % cluster_size != 0)
        return damaged("bitmap_directory_offset", offset, "which is not on a cluster boundary");
    return {};
}

std::string describe_features(std::uint64_t bits, std::uint8_t type, const Extensions& extensions,
                              HeaderBytes& bytes) {
    constexpr int kListed = 4;
    std::string out;
    for (int listed = 0; bits != 0; ++listed) {
        if (listed == kListed) return out + " and " + std::to_string(std::popcount(bits)) + " more";
        const auto bit = static_cast<unsigned>(std::countr_zero(bits));
        bits &= bits - 1;
        if (listed != 0) out.append(", ");
        if (const auto name = feature_name(bit, type, extensions, bytes))
            out.append("\"")
                .append(escaped(*name))
                .append("\" (bit ")
                .append(std::to_string(bit))
                .append(")");
        else
            out.append("bit ").append(std::to_string(bit));
    }
    return out;
}

}  // namespace sfg::qcow2
