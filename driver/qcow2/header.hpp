// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "driver/core/byte_source.hpp"
#include "driver/core/result.hpp"

namespace sfg::qcow2 {

// What the first cluster of a qcow2 image says, checked: a Header that one of the functions below
// returned obeys the format's limits, so its numbers may be used to compute offsets and sizes
// without overflow. It says nothing of whether the tables it points to are there.
//
// Names come from the image, that is from whoever wrote it: they hold no NUL, and may hold any
// other byte.
struct Header {
    std::uint32_t version = 3;        // 2 or 3
    std::uint64_t virtual_size = 0;   // bytes; qemu ignores what is behind the last 512
    std::uint32_t cluster_bits = 16;  // 9 to 21

    std::uint64_t backing_file_offset = 0;          // bytes; 0 without a base
    std::optional<std::string> backing_file;        // 1 to 1023 bytes
    std::optional<std::string> backing_format;      // 1 to 15 bytes; may stand there without a base
    std::optional<std::string> external_data_file;  // 1 to 1023 bytes

    std::uint32_t crypt_method = 0;  // 0 none, 1 AES, 2 LUKS

    std::uint32_t l1_size = 0;                  // entries of 8 bytes, at most 32 MiB of them
    std::uint64_t l1_table_offset = 0;          // bytes, on a cluster boundary
    std::uint64_t refcount_table_offset = 0;    // bytes, on a cluster boundary, never 0
    std::uint32_t refcount_table_clusters = 0;  // 1 or more, at most 8 MiB of them
    std::uint32_t snapshot_count = 0;           // at most 65536
    std::uint64_t snapshots_offset = 0;         // bytes, on a cluster boundary

    std::uint64_t incompatible_features = 0;  // known bits only
    std::uint64_t compatible_features = 0;    // unknown bits are kept
    std::uint64_t autoclear_features = 0;     // unknown bits are kept
    std::uint32_t refcount_order = 4;         // 0 to 6; a refcount has 1 << order bits
    std::uint32_t header_length = 72;         // bytes: 72 in version 2, 104 or more in version 3
    std::uint8_t compression_type = 0;        // 0 zlib, 1 zstd
    bool has_bitmaps = false;                 // there are persistent bitmaps that may be trusted

    std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits; }
    bool encrypted() const { return crypt_method != 0; }

    bool dirty() const;                   // refcounts may be stale
    bool corrupt() const;                 // somebody found damage: open it for reading only
    bool has_external_data_file() const;  // the guest's data is in another file
    bool external_data_is_raw() const;
    bool extended_l2() const;
    bool lazy_refcounts() const;
};

// Reads bytes of the file from `offset` on, as ByteSource::read_at does.
using ReadMore =
    std::function<Result<std::size_t>(std::uint64_t offset, std::span<std::byte> buffer)>;

// True when the file starts with "QFI\xfb". That covers all versions, also version 1 (the older
// format "qcow"), which the functions below call unsupported.
bool has_magic(std::span<const std::byte> start_of_file);

// The version number behind the magic, whatever it is; nothing without the magic or when the
// span ends before it.
std::optional<std::uint32_t> version_number(std::span<const std::byte> start_of_file);

// Parses the header in `start_of_file`, the first bytes of a file. What lies behind them, such as
// a backing name far back in the first cluster, is fetched by `read_more`, which is not called
// when 4 KiB or so of a usual image are there. Takes a bounded number of calls (about a hundred)
// and a bounded amount of memory (some KiB) whatever the bytes say.
//
// Errors, each with a sentence that names the field and its value:
//   invalid      this is no qcow2 image: the magic is missing
//   unsupported  a version, an incompatible feature, an encryption or a compression that is not
//                known here; the feature's name comes from the image, escaped
//   corrupt      a field contradicts the format, or the file ends inside its header
// and whatever read_more returns.
Result<Header> parse_header(std::span<const std::byte> start_of_file, const ReadMore& read_more);

// The names that a qcow2 header seems to record, whatever else is wrong with it: what parse_header
// refuses, another program, or a later version, may take.
struct ClaimedNames {
    std::optional<std::string> backing_file;  // up to a NUL, at most 4096 bytes
    // Of each extension that is one (there should be one at most), up to a NUL; "" for one of more
    // than 4096 bytes.
    std::vector<std::string> data_files;
};

// As far as they can be found. Bounded as parse_header is. Errors of `read_more` end the search.
ClaimedNames claimed_names(std::span<const std::byte> start_of_file, const ReadMore& read_more);

// parse_header with `file` behind the bytes at hand.
Result<Header> parse_header(std::span<const std::byte> start_of_file, ByteSource& file);

// The same for a file of which nothing has been read yet; one read for a usual image.
Result<Header> read_header(ByteSource& file);

}  // namespace sfg::qcow2
