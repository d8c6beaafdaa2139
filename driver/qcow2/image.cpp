// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/image.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "driver/core/big_endian.hpp"
#include "driver/core/zeros.hpp"
#include "driver/qcow2/layout.hpp"

namespace sfg::qcow2 {

namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;  // bytes read at once

Error corrupt(std::string sentence) {
    return Error(ErrorKind::corrupt, std::move(sentence));
}
Error unsupported(std::string sentence) {
    return Error(ErrorKind::unsupported, std::move(sentence));
}

Result<void> check_changeable(const Header& header) {
    if (header.corrupt()) {
        return corrupt(
            "the image is marked as corrupt: `qemu-img check -r all` mends what can be mended");
    }
    if (header.dirty()) return stale_refcounts("the image was not closed, so its refcounts");
    if (header.encrypted())
        return unsupported("the tables of an encrypted image are not changed here");
    if (header.has_external_data_file())
        return unsupported(
            "the tables of an image with an external data file are not changed here");
    return {};
}

}  // namespace

Error stale_refcounts(std::string_view what) {
    return corrupt(std::string(what) + " may be wrong: `qemu-img check -r all` mends them");
}

bool takes_space(std::uint64_t l2_entry, std::uint64_t bitmap, const Geometry& geometry) {
    if (geometry.extended_l2) {
        constexpr std::uint64_t kAllocated = 0xffffffff;  // section "Extended L2 Entries"
        return l2_entry != 0 || (bitmap & kAllocated) != 0;
    }
    return (l2_entry & ~kZeroFlag) != 0;
}

Result<Image> Image::open(ByteSource& file) {
    SFG_TRY_ASSIGN(Header header, read_header(file));
    SFG_TRY(check_changeable(header));
    Image image(file, std::move(header));
    image.geometry_.cluster_bits = image.header_.cluster_bits;
    image.geometry_.extended_l2 = image.header_.extended_l2();
    image.geometry_.refcount_order = image.header_.refcount_order;
    SFG_TRY_ASSIGN(image.file_size_, file.size());
    if (image.file_size_ > kMaxHostOffset)
        return unsupported("the file is longer than qcow2 tables can point into");
    image.fixed_fields_.resize(image.header_.version >= 3 ? kHeaderLengthV3Min : kHeaderLengthV2);
    SFG_TRY(image.read(0, image.fixed_fields_));
    return image;
}

HeaderTables Image::tables() const {
    return {header_.virtual_size, header_.l1_size, header_.l1_table_offset,
            header_.refcount_table_offset, header_.refcount_table_clusters};
}

Result<void> Image::check_inside(std::string_view what, std::uint64_t offset,
                                 std::uint64_t bytes) const {
    const std::uint64_t end = file_clusters() << geometry_.cluster_bits;
    if (offset <= end && bytes <= end - offset) return {};
    return corrupt("the " + std::string(what) + " at byte " + std::to_string(offset) +
                   " reaches behind the end of the file");
}

// All of the buffer; zeros behind the end of the file, where its last cluster may not be whole.
Result<void> Image::read(std::uint64_t offset, std::span<std::byte> buffer) {
    read_bytes_ += buffer.size();
    if (read_bytes_ > kMaxTableBytes)
        return unsupported("the image has more than 64 GiB of tables to read");
    while (!buffer.empty()) {
        SFG_TRY_ASSIGN(const std::size_t got, file_->read_at(offset, buffer));
        if (got == 0) break;
        offset += got;
        buffer = buffer.subspan(std::min(got, buffer.size()));
    }
    std::fill(buffer.begin(), buffer.end(), std::byte{0});
    return {};
}

Result<std::vector<std::uint64_t>> Image::read_entries(std::uint64_t offset, std::uint64_t count) {
    std::vector<std::uint64_t> entries;
    entries.reserve(static_cast<std::size_t>(count));
    std::vector<std::byte> piece(
        static_cast<std::size_t>(std::min<std::uint64_t>(count * 8, kPiece)));
    while (entries.size() < count) {
        const std::size_t bytes = static_cast<std::size_t>(
            std::min<std::uint64_t>((count - entries.size()) * 8, piece.size()));
        SFG_TRY(read(offset, std::span(piece).first(bytes)));
        for (std::size_t at = 0; at < bytes; at += 8)
            entries.push_back(load_be<std::uint64_t>(piece, at));
        offset += bytes;
    }
    return entries;
}

Result<std::vector<std::uint64_t>> Image::read_l1(std::uint64_t first, std::uint64_t count) {
    SFG_TRY(check_inside("L1 table", header_.l1_table_offset, header_.l1_size * kL1EntrySize));
    return read_entries(header_.l1_table_offset + first * kL1EntrySize, count);
}

Result<bool> Image::l1_has_room(std::uint64_t end) {
    const std::uint64_t used = header_.l1_size * kL1EntrySize;
    const std::uint64_t bytes = end * kL1EntrySize;
    if (bytes > geometry_.clusters(used) << geometry_.cluster_bits) return false;
    SFG_TRY(check_inside("L1 table", header_.l1_table_offset, bytes));
    // Bytes behind the table should mean nothing, but they may be what was in a cluster that was
    // used before, and in a damaged image something that is in use. Nothing is overwritten.
    std::vector<std::byte> slack(static_cast<std::size_t>(bytes - used));
    SFG_TRY(read(header_.l1_table_offset + used, slack));
    return all_zeros(slack);
}

Result<std::vector<std::uint64_t>> Image::read_refcount_table() {
    const std::uint64_t bytes = header_.refcount_table_clusters * geometry_.cluster_size();
    SFG_TRY(check_inside("refcount table", header_.refcount_table_offset, bytes));
    SFG_TRY_ASSIGN(auto table,
                   read_entries(header_.refcount_table_offset, bytes / kRefcountTableEntrySize));
    std::vector<std::uint64_t> blocks;
    for (const std::uint64_t block : table) {
        if (block == 0) continue;
        if (block % geometry_.cluster_size() != 0) {
            return corrupt("the refcount table has an entry " + std::to_string(block) +
                           ", which is not on a cluster boundary");
        }
        SFG_TRY(check_inside("refcount block", block, geometry_.cluster_size()));
        blocks.push_back(block);
    }
    // Whoever replaces a block that counts two ranges leaves the other range with a freed one.
    std::sort(blocks.begin(), blocks.end());
    if (const auto twice = std::adjacent_find(blocks.begin(), blocks.end());
        twice != blocks.end()) {
        return corrupt("the refcount table has the block at byte " + std::to_string(*twice) +
                       " twice");
    }
    return table;
}

Result<void> Image::read_cluster(std::uint64_t offset, std::span<std::byte> buffer) {
    return read(offset, buffer);
}

Result<std::uint64_t> Image::l2_offset(std::uint64_t l1_entry) const {
    const std::uint64_t offset = l1_entry & kEntryOffset;
    if ((l1_entry & ~(kEntryOffset | kCopied)) != 0 || offset == 0 ||
        offset % geometry_.cluster_size() != 0) {
        return corrupt("the L1 table has an entry " + std::to_string(l1_entry) +
                       ", which points to no cluster");
    }
    SFG_TRY(check_inside("L2 table", offset, geometry_.cluster_size()));
    return offset;
}

Result<void> Image::pad() {
    const std::uint64_t end = file_clusters() << geometry_.cluster_bits;
    if (file_size_ == end) return {};
    SFG_TRY(file_->resize(end));
    SFG_TRY(file_->flush());
    file_size_ = end;
    return {};
}

Result<void> Image::switch_to(const HeaderTables& tables) {
    std::vector<std::byte> fields = fixed_fields_;
    store_be<std::uint64_t>(fields, field::kSize, tables.virtual_size);
    store_be<std::uint32_t>(fields, field::kL1Size, tables.l1_size);
    store_be<std::uint64_t>(fields, field::kL1TableOffset, tables.l1_table_offset);
    store_be<std::uint64_t>(fields, field::kRefcountTableOffset, tables.refcount_table_offset);
    store_be<std::uint32_t>(fields, field::kRefcountTableClusters, tables.refcount_table_clusters);
    if (header_.version >= 3) {
        store_be<std::uint64_t>(fields, field::kAutoclearFeatures,
                                header_.autoclear_features & autoclear::kKnown);
    }
    SFG_TRY(file_->write_at(0, fields));
    return file_->flush();
}

}  // namespace sfg::qcow2
