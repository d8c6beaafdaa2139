// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/switchover.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "driver/qcow2/layout.hpp"
#include "driver/qcow2/refcount_block.hpp"

namespace sfg::qcow2 {

namespace {

Error unsupported(std::string sentence) {
    return Error(ErrorKind::unsupported, std::move(sentence));
}

Error too_long() {
    return unsupported("the file would become longer than qcow2's tables can count or point into");
}

Error not_counted(std::uint64_t cluster) {
    return stale_refcounts("cluster " + std::to_string(cluster) +
                           " is used more often than it is counted, so the refcounts");
}

}  // namespace

Switchover::~Switchover() {
    // What failed before is what the caller reports.
    if (extended_ && !switched_) (void)image_.file().resize(image_.file_size());
}

Result<void> Switchover::begin() {
    SFG_TRY_ASSIGN(table_, image_.read_refcount_table());
    SFG_TRY_ASSIGN(first_new_, first_unused_cluster());
    if (first_new_ > kMaxHostOffset >> bits()) return too_long();
    return {};
}

// The refcounts may count clusters behind the end of the file: a guest's data that a power cut took
// while its L2 entry was stored, say. These stay what they are.
Result<std::uint64_t> Switchover::first_unused_cluster() {
    const Geometry& geometry = image_.geometry();
    const std::uint64_t end = image_.file_clusters();
    std::vector<std::byte> block(static_cast<std::size_t>(geometry.cluster_size()));
    for (std::uint64_t index = table_.size(); index > end / geometry.refcounts_per_block();) {
        if (table_[static_cast<std::size_t>(--index)] == 0) continue;
        SFG_TRY(image_.read_cluster(table_[static_cast<std::size_t>(index)], block));
        const auto last = last_counted(block, geometry.refcount_order);
        if (!last) continue;
        return std::max(end, index * geometry.refcounts_per_block() + *last + 1);
    }
    return end;
}

void Switchover::replace_block(std::uint64_t index) {
    const auto i = static_cast<std::size_t>(index);
    if (replaced_[i]) return;
    replaced_[i] = true;
    ++blocks_;
    if (i >= table_.size() || table_[i] == 0) return;
    ++replaced_old_;
    released_.push_back(table_[i] >> bits());
}

Result<void> Switchover::replace_blocks_of_released() {
    for (; released_done_ < released_.size(); ++released_done_) {
        const std::uint64_t cluster = released_[released_done_];
        const std::uint64_t index = cluster / image_.geometry().refcounts_per_block();
        if (index >= table_.size() || table_[static_cast<std::size_t>(index)] == 0)
            return not_counted(cluster);
        replace_block(index);
    }
    return {};
}

Result<void> Switchover::place(std::uint64_t content_clusters, std::uint64_t l1_entries) {
    const Geometry& geometry = image_.geometry();
    const HeaderTables old = image_.tables();
    content_clusters_ = content_clusters;
    l1_clusters_ = geometry.clusters(l1_entries * kL1EntrySize);
    table_clusters_ = old.refcount_table_clusters;

    for (std::uint64_t i = 0; i < geometry.clusters(old.l1_size * kL1EntrySize); ++i)
        release(old.l1_table_offset + (i << bits()));
    for (std::uint64_t i = 0; i < old.refcount_table_clusters; ++i)
        release(old.refcount_table_offset + (i << bits()));

    // More clusters may need more blocks to count them, which are more clusters. It ends with a
    // round that adds nothing.
    replaced_.assign(table_.size(), false);
    std::uint64_t next = first_new_ / geometry.refcounts_per_block();
    std::uint64_t end_before = 0;
    do {
        end_before = file_end();
        SFG_TRY(replace_blocks_of_released());
        const std::uint64_t blocks =
            divide_up(file_end() >> bits(), geometry.refcounts_per_block());
        table_clusters_ = std::max(table_clusters_,
                                   divide_up(blocks, geometry.refcount_blocks_per_table_cluster()));
        if (table_clusters_ << bits() > kMaxRefcountTableBytes || file_end() > kMaxHostOffset)
            return too_long();
        replaced_.resize(std::max(replaced_.size(), static_cast<std::size_t>(blocks)));
        for (; next < blocks; ++next) replace_block(next);
    } while (file_end() != end_before);
    if (replaced_old_ << bits() > kMaxReplacedBytes)
        return unsupported("the change would need more than 4 GiB of refcounts to be replaced");
    std::sort(released_.begin(), released_.end());
    return {};
}

Result<void> Switchover::extend(bool reserve) {
    extended_ = true;
    if (reserve) return image_.file().allocate(content_offset(), file_end() - content_offset());
    return image_.file().resize(file_end());
}

// The counts of one block, from the old one if there was one.
Result<void> Switchover::write_block(std::uint64_t index, std::span<std::byte> block) {
    const Geometry& geometry = image_.geometry();
    const std::uint32_t order = geometry.refcount_order;
    const std::uint64_t old = table_[static_cast<std::size_t>(index)];
    if (old != 0) {
        SFG_TRY(image_.read_cluster(old, block));
    } else {
        std::fill(block.begin(), block.end(), std::byte{0});
    }

    const std::uint64_t first = index * geometry.refcounts_per_block();
    const std::uint64_t end = first + geometry.refcounts_per_block();
    for (; released_at_ < released_.size() && released_[released_at_] < end; ++released_at_) {
        const std::uint64_t cluster = released_[released_at_];
        const std::uint64_t count = load_refcount(block, cluster - first, order);
        if (count == 0) return not_counted(cluster);
        store_refcount(block, cluster - first, order, count - 1);
    }
    const std::uint64_t new_end = std::min(end, file_end() >> bits());
    for (std::uint64_t cluster = std::max(first, first_new_); cluster < new_end; ++cluster)
        store_refcount(block, cluster - first, order, 1);
    return out_.append(block);
}

Result<void> Switchover::write_blocks() {
    table_.resize(static_cast<std::size_t>(table_clusters_ *
                                           image_.geometry().refcount_blocks_per_table_cluster()));
    std::vector<std::byte> block(static_cast<std::size_t>(image_.geometry().cluster_size()));
    for (std::size_t i = 0; i < replaced_.size(); ++i) {
        if (!replaced_[i]) continue;
        const std::uint64_t offset = out_.position();
        SFG_TRY(write_block(i, block));
        table_[i] = offset;
    }
    return {};
}

Result<void> Switchover::commit(std::uint64_t virtual_size, const std::vector<std::uint64_t>& l1) {
    SFG_TRY(out_.skip_to(blocks_offset()));
    SFG_TRY(write_blocks());
    for (const std::uint64_t block : table_) SFG_TRY(out_.append_be<std::uint64_t>(block));
    for (const std::uint64_t entry : l1) SFG_TRY(out_.append_be<std::uint64_t>(entry));
    SFG_TRY(out_.flush());
    SFG_TRY(image_.file().flush());

    HeaderTables tables;
    tables.virtual_size = virtual_size;
    tables.l1_size = static_cast<std::uint32_t>(l1.size());
    tables.l1_table_offset = l1.empty() ? 0 : l1_offset();
    tables.refcount_table_offset = table_offset();
    tables.refcount_table_clusters = static_cast<std::uint32_t>(table_clusters_);
    switched_ = true;
    return image_.switch_to(tables);
}

}  // namespace sfg::qcow2
