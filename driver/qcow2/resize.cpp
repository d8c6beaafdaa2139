// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/resize.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "driver/qcow2/image.hpp"
#include "driver/qcow2/l2_scan.hpp"
#include "driver/qcow2/layout.hpp"
#include "driver/qcow2/snapshots.hpp"
#include "driver/qcow2/switchover.hpp"

namespace sfg::qcow2 {

namespace {

constexpr std::uint64_t kSector = 512;

Error invalid(std::string sentence) {
    return Error(ErrorKind::invalid, std::move(sentence));
}
Error unsupported(std::string sentence) {
    return Error(ErrorKind::unsupported, std::move(sentence));
}

Result<void> check_request(const Header& header, const Geometry& geometry,
                           const ResizeOptions& options) {
    if (options.virtual_size % kSector != 0) {
        return invalid("the size of a qcow2 image is a multiple of 512 bytes, and " +
                       std::to_string(options.virtual_size) + " is not");
    }
    if (options.virtual_size > geometry.max_virtual_size()) {
        return unsupported("a qcow2 image with clusters of " +
                           std::to_string(geometry.cluster_size()) + " bytes has at most " +
                           std::to_string(geometry.max_virtual_size()) + " bytes, not " +
                           std::to_string(options.virtual_size));
    }
    if (options.virtual_size < header.virtual_size && !options.allow_shrink) {
        return invalid("the image has " + std::to_string(header.virtual_size) +
                       " bytes, and shrinking it to " + std::to_string(options.virtual_size) +
                       " was not asked for");
    }
    return {};
}

Result<void> check_base(const Header& header, const ResizeOptions& options) {
    if (!header.backing_file) return {};
    if (!options.base_size)
        return invalid("an image with a base grows only when the size of the base is known");
    if (*options.base_size > header.virtual_size) {
        return unsupported("the base has " + std::to_string(*options.base_size) +
                           " bytes and the image only " + std::to_string(header.virtual_size) +
                           ", so the new part would show what is in the base: `qemu-img resize` "
                           "hides it");
    }
    return {};
}

// Gives the image a longer L1 table, or one with fewer L2 tables; `l1` is the new one.
Result<void> replace_l1(Image& image, std::uint64_t virtual_size,
                        const std::vector<std::uint64_t>& l1,
                        const std::vector<std::uint64_t>& freed_l2_entries) {
    Switchover switchover(image);
    SFG_TRY(switchover.begin());
    for (const std::uint64_t entry : freed_l2_entries) {
        SFG_TRY_ASSIGN(const std::uint64_t offset, image.l2_offset(entry));
        switchover.release(offset);
    }
    SFG_TRY(switchover.place(0, l1.size()));
    SFG_TRY(switchover.extend(false));
    return switchover.commit(virtual_size, l1);
}

// Nothing but the size, and how many entries of the L1 table count.
Result<void> change_header(Image& image, std::uint64_t virtual_size, std::uint64_t l1_size) {
    SFG_TRY(image.pad());
    HeaderTables tables = image.tables();
    tables.virtual_size = virtual_size;
    tables.l1_size = static_cast<std::uint32_t>(l1_size);
    return image.switch_to(tables);
}

// What an L1 table says behind the end of the disk becomes part of it. qemu leaves the memory of a
// guest there after it went back to an internal snapshot.
Result<void> check_nothing_comes_up(Image& image, std::uint64_t new_size) {
    const Geometry& geometry = image.geometry();
    const std::uint64_t old_size = image.header().virtual_size;
    const std::uint64_t l1_first = old_size / geometry.bytes_per_l2_table();
    const std::uint64_t l1_end =
        std::min<std::uint64_t>(image.header().l1_size, geometry.l1_entries(new_size));
    if (l1_first >= l1_end) return {};
    SFG_TRY_ASSIGN(const auto l1, image.read_l1(l1_first, l1_end - l1_first));
    SFG_TRY_ASSIGN(const auto found,
                   find_allocated(image, l1, l1_first, geometry.clusters(old_size),
                                  geometry.clusters(new_size)));
    if (!found) return {};
    return unsupported("the image has data behind the end of its disk, at byte " +
                       std::to_string(*found << geometry.cluster_bits) +
                       ", which would become part of it: make a copy with `qemu-img convert`");
}

Result<void> grow(Image& image, const ResizeOptions& options) {
    SFG_TRY(check_base(image.header(), options));
    SFG_TRY(check_nothing_comes_up(image, options.virtual_size));
    const std::uint64_t l1_size = image.header().l1_size;
    const std::uint64_t needed = image.geometry().l1_entries(options.virtual_size);
    if (needed <= l1_size) return change_header(image, options.virtual_size, l1_size);
    SFG_TRY_ASSIGN(const bool has_room, image.l1_has_room(needed));
    if (has_room) return change_header(image, options.virtual_size, needed);

    SFG_TRY_ASSIGN(auto l1, image.read_l1(0, l1_size));
    l1.resize(static_cast<std::size_t>(needed));
    return replace_l1(image, options.virtual_size, l1, {});
}

Result<void> shrink(Image& image, const ResizeOptions& options) {
    const Geometry& geometry = image.geometry();
    const std::uint64_t l1_first = options.virtual_size / geometry.bytes_per_l2_table();
    SFG_TRY_ASSIGN(auto l1, image.read_l1(0, image.header().l1_size));
    const std::vector<std::uint64_t> last(
        l1.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(l1_first, l1.size())),
        l1.end());
    // The cluster in which the new end lies counts as behind it, unless the end is its own.
    SFG_TRY_ASSIGN(const auto found, find_allocated(image, last, l1_first,
                                                    options.virtual_size >> geometry.cluster_bits,
                                                    std::numeric_limits<std::uint64_t>::max()));
    if (found) {
        return unsupported("data is allocated behind the new end of " +
                           std::to_string(options.virtual_size) +
                           " bytes, first in the cluster at "
                           "byte " +
                           std::to_string(*found << geometry.cluster_bits) +
                           ": discard it in the guest (blkdiscard), or copy what is to be kept to "
                           "a smaller volume");
    }

    std::vector<std::uint64_t> freed;
    const std::uint64_t needed = geometry.l1_entries(options.virtual_size);
    for (std::size_t i = static_cast<std::size_t>(needed); i < l1.size(); ++i)
        if (l1[i] != 0) freed.push_back(l1[i]);
    if (freed.empty()) return change_header(image, options.virtual_size, l1.size());
    l1.resize(static_cast<std::size_t>(needed));
    return replace_l1(image, options.virtual_size, l1, freed);
}

}  // namespace

Result<void> resize(ByteSource& file, const ResizeOptions& options) {
    SFG_TRY_ASSIGN(Image image, Image::open(file));
    const Header& header = image.header();
    SFG_TRY(check_request(header, image.geometry(), options));
    if (header.has_bitmaps) {
        return unsupported(
            "the image has persistent bitmaps, which have its size: remove them with `qemu-img "
            "bitmap --remove` before resizing it");
    }
    SFG_TRY(check_snapshots_know_their_size(file, header));
    if (options.virtual_size == header.virtual_size) return image.pad();
    if (options.virtual_size > header.virtual_size) return grow(image, options);
    return shrink(image, options);
}

}  // namespace sfg::qcow2
