// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"
#include "driver/qcow2/image.hpp"
#include "driver/qcow2/stream_writer.hpp"

namespace sfg::qcow2 {

// Replaces tables of an image, all at once and without a moment at which the image is not clean.
//
// A change of tables takes clusters and gives others back, so refcounts have to change with it,
// and no order of writes in place does both at once: counted first, the clusters are leaks until
// something refers to them, and referred to first, they are corruption. But all tables hang on a
// few fields of the header (size, l1_size, l1_table_offset, refcount_table_offset and
// refcount_table_clusters) that lie within one sector. So whatever changes is written anew, copy on
// write up to the header: the L1 table, each refcount block in which a count differs, and the
// refcount table that points to them. Their place is behind the end of the file and behind every
// cluster that is counted, where the old refcounts know of nothing and no table points to:
//
//   | header | old tables, old data ... | content | refcount blocks | refcount table | L1 table |
//                                       ^ old end of the file
//
// The new blocks count all of this once, and the clusters of what it replaces once less, those of
// the replaced blocks and tables themselves included: blocks that count replaced blocks are
// replaced too. Then:
//
//   1. the file grows, and the new part is written; any of it may be lost
//   2. flush
//   3. one write of the header's fields: now the new tables hold
//   4. flush
//
// Until 3 the image is the old one, with bytes behind it that no refcount and no table knows of,
// which are no leak; from then on it is the new one, whose freed clusters are free to be used. It
// matters nothing that the tables of a damaged image may overlap, since nothing of the old file but
// the header is written to. A process that is killed before 3 leaves a longer file; what is behind
// the old end is free for qemu's next allocations.
class Switchover {
  public:
    // Refcount blocks of the old image that are replaced, in bytes: more is not done, whatever
    // the image says. Those of a file of 100 TiB and more, with clusters of 64 KiB.
    static constexpr std::uint64_t kMaxReplacedBytes = std::uint64_t{4} << 30;

    // `image` must outlive the object.
    explicit Switchover(Image& image) : image_(image), out_(image.file()) {}

    // Without a commit() that reached the header, cuts the file back to what it was.
    ~Switchover();

    Switchover(const Switchover&) = delete;
    Switchover& operator=(const Switchover&) = delete;

    // Reads the old refcounts as far as they are needed. Comes first.
    Result<void> begin();

    // Takes one reference away from the cluster at `offset`, a multiple of the cluster size.
    void release(std::uint64_t offset) { released_.push_back(offset >> bits()); }

    // Decides where everything goes: clusters for the caller, whose references release() has been
    // told of, and an L1 table of so many entries. Writes nothing. Errors: corrupt where the
    // refcounts cannot be right; unsupported where the limits of the format are in the way.
    Result<void> place(std::uint64_t content_clusters, std::uint64_t l1_entries);

    // The caller's clusters, in bytes from the start of the file; they read as zeros until they
    // are written to. Valid after place().
    std::uint64_t content_offset() const { return first_new_ << bits(); }

    // The new length of the file in bytes. Valid after place().
    std::uint64_t file_end() const { return l1_offset() + (l1_clusters_ << bits()); }

    // Makes the file as long as it is going to be; reserves the storage for that if `reserve`.
    Result<void> extend(bool reserve);

    // For the caller's clusters, from front to back; commit() goes on with it.
    StreamWriter& out() { return out_; }

    // Writes the tables and makes them hold.
    Result<void> commit(std::uint64_t virtual_size, const std::vector<std::uint64_t>& l1);

  private:
    std::uint32_t bits() const { return image_.geometry().cluster_bits; }
    std::uint64_t blocks_offset() const { return (first_new_ + content_clusters_) << bits(); }
    std::uint64_t table_offset() const { return blocks_offset() + (blocks_ << bits()); }
    std::uint64_t l1_offset() const { return table_offset() + (table_clusters_ << bits()); }

    Result<std::uint64_t> first_unused_cluster();
    Result<void> replace_blocks_of_released();
    void replace_block(std::uint64_t index);
    Result<void> write_block(std::uint64_t index, std::span<std::byte> block);
    Result<void> write_blocks();

    Image& image_;
    StreamWriter out_;
    std::vector<std::uint64_t> table_;  // the refcount table: the old one until commit()
    std::uint64_t first_new_ = 0;       // in clusters
    std::uint64_t content_clusters_ = 0;
    std::uint64_t l1_clusters_ = 0;
    std::uint64_t table_clusters_ = 0;

    std::vector<std::uint64_t> released_;  // cluster numbers, a number once for each reference
    std::size_t released_done_ = 0;        // whose blocks are known to be replaced
    std::size_t released_at_ = 0;          // subtracted so far, while blocks are written
    std::vector<bool> replaced_;           // by index: blocks that are written anew
    std::uint64_t blocks_ = 0;             // how many these are
    std::uint64_t replaced_old_ = 0;       // those of them that there was one of before
    bool extended_ = false;
    bool switched_ = false;
};

}  // namespace sfg::qcow2
