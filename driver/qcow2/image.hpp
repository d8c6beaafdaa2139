// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"
#include "driver/qcow2/geometry.hpp"
#include "driver/qcow2/header.hpp"

namespace sfg::qcow2 {

// Section "Cluster mapping": the parts of L1 and L2 entries. kZeroFlag is that of a standard
// cluster without extended L2 entries.
inline constexpr std::uint64_t kEntryOffset = kMaxHostOffset & ~std::uint64_t{511};
inline constexpr std::uint64_t kZeroFlag = 1;

// The header's fields that change when tables do.
struct HeaderTables {
    std::uint64_t virtual_size = 0;
    std::uint32_t l1_size = 0;
    std::uint64_t l1_table_offset = 0;
    std::uint64_t refcount_table_offset = 0;
    std::uint32_t refcount_table_clusters = 0;
};

// An existing image that is going to be changed: its header and checked access to its tables.
// Whoever wrote the image may have written anything, so tables must be inside the file, entries
// well-formed, and the bytes read in the object's life stay below kMaxTableBytes. Nothing is kept
// of what is read.
class Image {
  public:
    // More tables than this are not read, in bytes: those of a disk of 128 TiB with clusters of
    // 64 KiB, four times over. It ends the work on a file of holes that says it is full of tables.
    static constexpr std::uint64_t kMaxTableBytes = std::uint64_t{64} << 30;

    // Errors: those of read_header(); unsupported for encryption or an external data file; corrupt
    // for the corrupt and the dirty bit. `file` must outlive the object.
    static Result<Image> open(ByteSource& file);

    ByteSource& file() { return *file_; }
    const Header& header() const { return header_; }
    const Geometry& geometry() const { return geometry_; }
    HeaderTables tables() const;

    // The file's length when it was opened, in bytes, and the clusters that it takes, of which the
    // last may be there in part.
    std::uint64_t file_size() const { return file_size_; }
    std::uint64_t file_clusters() const { return geometry_.clusters(file_size_); }

    // Entries of the L1 table from `first` on; both must be within the header's l1_size.
    Result<std::vector<std::uint64_t>> read_l1(std::uint64_t first, std::uint64_t count);

    // The L1 table's cluster behind its last entry, up to the entry `end`: whether it is there and
    // zeros, so that the table may just be said to be longer.
    Result<bool> l1_has_room(std::uint64_t end);

    // The offsets of refcount blocks, 0 where there is none; no block is there twice.
    Result<std::vector<std::uint64_t>> read_refcount_table();

    // A cluster that a table fills, into a buffer of that size. `offset` must come from one of the
    // functions here.
    Result<void> read_cluster(std::uint64_t offset, std::span<std::byte> buffer);

    // The offset of the L2 table that an L1 entry points to; the entry is not 0.
    Result<std::uint64_t> l2_offset(std::uint64_t l1_entry) const;

    // Makes the file end with a whole cluster, durably.
    Result<void> pad();

    // Changes the header by one write of less than a sector and flushes. What the header points to
    // must have been flushed before. Clears autoclear features that are not known here (section
    // "Header").
    Result<void> switch_to(const HeaderTables& tables);

  private:
    Image(ByteSource& file, Header header) : file_(&file), header_(std::move(header)) {}

    Result<void> read(std::uint64_t offset, std::span<std::byte> buffer);
    Result<std::vector<std::uint64_t>> read_entries(std::uint64_t offset, std::uint64_t count);
    Result<void> check_inside(std::string_view what, std::uint64_t offset,
                              std::uint64_t bytes) const;

    ByteSource* file_;
    Header header_;
    Geometry geometry_;
    std::vector<std::byte> fixed_fields_;  // the header's first 72 or 104 bytes
    std::uint64_t file_size_ = 0;
    std::uint64_t read_bytes_ = 0;
};

// Whether an L2 entry gives a guest cluster a place in the file, or is nothing that the format
// knows. `bitmap` is the second half of an extended entry, else 0.
bool takes_space(std::uint64_t l2_entry, std::uint64_t bitmap, const Geometry& geometry);

// A sentence of ErrorKind::corrupt that names the program that mends it.
Error stale_refcounts(std::string_view what);

}  // namespace sfg::qcow2
