// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/qcow2_builder.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <vector>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/layout.hpp"

namespace sfg::test {

namespace {

using namespace sfg::qcow2;

class Builder {
  public:
    Builder(const Qcow2Recipe& recipe, std::mt19937_64& random) : r_(recipe), random_(random) {}

    MemoryStore build() {
        const std::uint64_t per_l2_bytes = per_l2() * cluster();
        const std::uint64_t needed = (r_.virtual_size + per_l2_bytes - 1) / per_l2_bytes;
        l1_.resize(static_cast<std::size_t>(needed + r_.l1_slack));
        choose_places(needed);

        fill_guest();
        for (std::uint64_t i = 0; i < std::min(r_.empty_l2_behind, r_.l1_slack); ++i)
            l1_[static_cast<std::size_t>(needed + i)] = take() | copied();
        if (l1_offset_ != 0) {
            put_numbers(l1_offset_, l1_);
            const std::uint64_t end = l1_offset_ + l1_.size() * 8;
            if (r_.garbage_behind_l1 && end % cluster() != 0)
                put(end,
                    std::vector<std::byte>(static_cast<std::size_t>(cluster() - end % cluster()),
                                           std::byte{0xa5}));
        }
        if (r_.snapshot) put_snapshot();
        put_refcounts();
        put_header();
        (void)file_.resize(end_ * cluster());
        if (r_.cut_last_cluster) cut();
        return file_;
    }

  private:
    std::uint64_t cluster() const { return std::uint64_t{1} << r_.cluster_bits; }
    std::uint64_t per_l2() const { return cluster() / (r_.extended_l2 ? 16 : 8); }
    std::uint64_t per_block() const { return (cluster() * 8) >> r_.refcount_order; }
    std::uint64_t copied() const { return r_.snapshot ? 0 : kCopied; }
    bool chance(unsigned percent) { return random_() % 100 < percent; }

    std::uint64_t take(std::uint64_t clusters = 1) {
        if (end_ != 0 && random_() % 4 == 0) end_ += random_() % 3;  // free clusters
        const std::uint64_t at = end_;
        end_ += clusters;
        counts_.resize(static_cast<std::size_t>(end_));
        for (std::uint64_t i = at; i < end_; ++i) counts_[static_cast<std::size_t>(i)] = 1;
        if (!spare_blocks_.empty() && random_() % 16 == 0) place_block();
        return at * cluster();
    }

    void place_block() {
        const std::uint64_t index = spare_blocks_.back();
        spare_blocks_.pop_back();
        table_[static_cast<std::size_t>(index)] = take();
    }

    // Enough blocks for all that may come, in any order.
    void choose_places(std::uint64_t needed) {
        take();  // the header
        const std::uint64_t most =
            (needed + r_.l1_slack) * (3 + per_l2()) * 3 / 2 + 64 + l1_.size() * 16 / cluster();
        std::uint64_t blocks = most / per_block() + 2;
        blocks += blocks / (per_block() / 4) + 2;  // which are clusters, too
        const std::uint64_t per_table = cluster() / 8;
        table_clusters_ = (blocks + per_table - 1) / per_table + r_.free_table_clusters;
        table_.resize(static_cast<std::size_t>(table_clusters_ * per_table));
        for (std::uint64_t i = 0; i < blocks; ++i) spare_blocks_.push_back(i);
        std::shuffle(spare_blocks_.begin(), spare_blocks_.end(), random_);
        const bool l1_first = random_() % 2 == 0;
        if (l1_first) take_l1();
        table_offset_ = take(table_clusters_);
        if (!l1_first) take_l1();
    }

    void take_l1() {
        if (!l1_.empty()) l1_offset_ = take((l1_.size() * 8 + cluster() - 1) / cluster());
    }

    // Zeros at the end of the last cluster are left out.
    void cut() {
        const auto last = file_.bytes((end_ - 1) * cluster(), static_cast<std::size_t>(cluster()));
        std::size_t length = last.size();
        while (length > 1 && last[length - 1] == std::byte{0}) --length;
        (void)file_.resize((end_ - 1) * cluster() + length);
    }

    void put(std::uint64_t offset, std::span<const std::byte> bytes) {
        (void)file_.write_at(offset, bytes);
    }

    void put_numbers(std::uint64_t offset, const std::vector<std::uint64_t>& numbers) {
        std::vector<std::byte> bytes(numbers.size() * 8);
        for (std::size_t i = 0; i < numbers.size(); ++i)
            store_be(std::span(bytes), i * 8, numbers[i]);
        put(offset, bytes);
    }

    void fill_guest() {
        const std::uint64_t used = (std::min(r_.used_size, r_.virtual_size)) / cluster();
        for (std::uint64_t first = 0; first < used; first += per_l2()) {
            std::vector<std::uint64_t> l2(static_cast<std::size_t>(cluster() / 8));
            for (std::uint64_t i = 0; i < per_l2() && first + i < used; ++i) fill_entry(l2, i);
            if (std::all_of(l2.begin(), l2.end(), [](auto e) { return e == 0; }) && chance(80))
                continue;
            const std::uint64_t at = take();
            put_numbers(at, l2);
            tables_.insert(at);
            l1_[static_cast<std::size_t>(first / per_l2())] = at | copied();
        }
    }

    void fill_entry(std::vector<std::uint64_t>& l2, std::uint64_t i) {
        const std::size_t at = static_cast<std::size_t>(r_.extended_l2 ? i * 2 : i);
        if (chance(r_.data_percent)) {
            const std::uint64_t host = take();
            std::vector<std::byte> data(static_cast<std::size_t>(cluster()));
            for (std::size_t b = 0; b < 16; ++b) data[b] = static_cast<std::byte>(random_());
            put(host, data);
            l2[at] = host | copied();
            if (r_.extended_l2) l2[at + 1] = 1 + (random_() % 2 << 33);
        } else if (r_.version >= 3 && chance(r_.zero_percent)) {
            if (r_.extended_l2)
                l2[at + 1] = (random_() & 0xffff) << 32;
            else
                l2[at] = 1;
        }
    }

    void put_snapshot() {
        for (const std::uint64_t entry : l1_) {
            if (entry == 0) continue;
            counts_[static_cast<std::size_t>(entry / cluster())] = 2;
            if (!tables_.contains(entry)) continue;  // has no entries
            const auto raw = file_.bytes(entry, static_cast<std::size_t>(cluster()));
            for (std::size_t i = 0; i < raw.size(); i += r_.extended_l2 ? 16 : 8) {
                const auto value = load_be<std::uint64_t>(raw, i) & kMaxHostOffset & ~511ull;
                if (value != 0) counts_[static_cast<std::size_t>(value / cluster())] = 2;
            }
        }
        const std::uint64_t l1 =
            l1_.empty() ? 0 : take((l1_.size() * 8 + cluster() - 1) / cluster());
        put_numbers(l1, l1_);
        snapshots_offset_ = take();
        std::vector<std::byte> entry(64);
        store_be<std::uint64_t>(entry, 0, l1);
        store_be<std::uint32_t>(entry, 8, static_cast<std::uint32_t>(l1_.size()));
        store_be<std::uint16_t>(entry, 12, 1);   // ID
        store_be<std::uint16_t>(entry, 14, 2);   // name
        store_be<std::uint32_t>(entry, 36, 16);  // extra data
        store_be<std::uint64_t>(entry, 48, r_.virtual_size);
        entry[56] = std::byte{'1'};
        entry[57] = entry[58] = std::byte{'s'};
        put(snapshots_offset_, entry);
    }

    void put_refcounts() {
        while (!spare_blocks_.empty()) {
            // Those that count nothing may be there or not.
            const std::uint64_t first = spare_blocks_.back() * per_block();
            if (first > end_ + 2 * spare_blocks_.size() * 4 && chance(50)) {
                spare_blocks_.pop_back();
                continue;
            }
            place_block();
        }
        for (std::size_t index = 0; index < table_.size(); ++index) {
            if (table_[index] == 0) continue;
            std::vector<std::byte> block(static_cast<std::size_t>(cluster()));
            for (std::uint64_t i = 0; i < per_block(); ++i) {
                const std::uint64_t number = index * per_block() + i;
                if (number >= counts_.size()) break;
                put_count(block, i, counts_[static_cast<std::size_t>(number)]);
            }
            put(table_[index], block);
        }
        put_numbers(table_offset_, table_);
    }

    void put_count(std::vector<std::byte>& block, std::uint64_t i, std::uint64_t count) {
        const std::uint64_t bits = std::uint64_t{1} << r_.refcount_order;
        if (bits < 8) {
            auto& byte = block[static_cast<std::size_t>(i * bits / 8)];
            byte |= static_cast<std::byte>(count << (i * bits % 8));
        } else {
            for (std::uint64_t b = 0; b < bits / 8; ++b)
                block[static_cast<std::size_t>((i + 1) * bits / 8 - 1 - b)] =
                    static_cast<std::byte>(count >> (b * 8));
        }
    }

    void put_header() {
        std::vector<std::byte> head(r_.version >= 3 ? 112 : 72);
        store_be<std::uint32_t>(head, field::kMagic, kMagic);
        store_be<std::uint32_t>(head, field::kVersion, r_.version);
        store_be<std::uint32_t>(head, field::kClusterBits, r_.cluster_bits);
        store_be<std::uint64_t>(head, field::kSize, r_.virtual_size);
        store_be<std::uint32_t>(head, field::kL1Size, static_cast<std::uint32_t>(l1_.size()));
        store_be<std::uint64_t>(head, field::kL1TableOffset, l1_offset_);
        store_be<std::uint64_t>(head, field::kRefcountTableOffset, table_offset_);
        store_be<std::uint32_t>(head, field::kRefcountTableClusters,
                                static_cast<std::uint32_t>(table_clusters_));
        if (r_.snapshot) {
            store_be<std::uint32_t>(head, field::kSnapshotCount, 1);
            store_be<std::uint64_t>(head, field::kSnapshotsOffset, snapshots_offset_);
        }
        if (r_.version >= 3) {
            store_be<std::uint64_t>(head, field::kIncompatibleFeatures,
                                    r_.extended_l2 ? incompatible::kExtendedL2 : 0);
            store_be<std::uint32_t>(head, field::kRefcountOrder, r_.refcount_order);
            store_be<std::uint32_t>(head, field::kHeaderLength, 112);
        }
        if (!r_.base.empty()) {
            store_be<std::uint64_t>(head, field::kBackingFileOffset, head.size() + 8);
            store_be<std::uint32_t>(head, field::kBackingFileSize,
                                    static_cast<std::uint32_t>(r_.base.size()));
            head.resize(head.size() + 8);  // the end mark
            for (char c : r_.base) head.push_back(static_cast<std::byte>(c));
        }
        put(0, head);
    }

    const Qcow2Recipe& r_;
    std::mt19937_64& random_;
    MemoryStore file_;
    std::uint64_t end_ = 0;  // in clusters
    std::vector<std::uint64_t> counts_;
    std::vector<std::uint64_t> table_;
    std::vector<std::uint64_t> spare_blocks_;  // by index, not placed yet
    std::vector<std::uint64_t> l1_;
    std::set<std::uint64_t> tables_;
    std::uint64_t l1_offset_ = 0, table_offset_ = 0, table_clusters_ = 0, snapshots_offset_ = 0;
};

}  // namespace

std::string describe(const Qcow2Recipe& r) {
    return "v" + std::to_string(r.version) + " cluster_bits " + std::to_string(r.cluster_bits) +
           " order " + std::to_string(r.refcount_order) + (r.extended_l2 ? " extended_l2" : "") +
           " size " + std::to_string(r.virtual_size) + " used " + std::to_string(r.used_size) +
           " slack " + std::to_string(r.l1_slack) + (r.snapshot ? " snapshot" : "") +
           (r.garbage_behind_l1 ? " garbage" : "") + (r.cut_last_cluster ? " cut" : "") +
           (r.base.empty() ? "" : " base");
}

Qcow2Recipe random_recipe(std::mt19937_64& random) {
    Qcow2Recipe r;
    r.version = random() % 3 == 0 ? 2 : 3;
    r.cluster_bits = 9 + static_cast<std::uint32_t>(random() % 3);
    if (r.version == 3) {
        r.refcount_order = static_cast<std::uint32_t>(random() % 7);
        if (random() % 4 == 0) {
            r.extended_l2 = true;
            r.cluster_bits = 14;
        }
    }
    const std::uint64_t cluster = std::uint64_t{1} << r.cluster_bits;
    r.virtual_size = random() % 400 * cluster + (random() % 2 == 0 ? 0 : random() % cluster);
    r.virtual_size = r.virtual_size / 512 * 512;
    r.used_size = random() % 2 == 0 ? r.virtual_size : random() % (r.virtual_size + 1);
    if (random() % 3 == 0) r.l1_slack = random() % 4;
    if (random() % 2 == 0) r.empty_l2_behind = r.l1_slack;
    r.data_percent = random() % 4 == 0 ? 0 : static_cast<unsigned>(random() % 90);
    r.zero_percent = static_cast<unsigned>(random() % 60);
    r.snapshot = r.version == 3 && r.refcount_order > 0 && random() % 4 == 0;
    r.garbage_behind_l1 = random() % 3 == 0;
    r.cut_last_cluster = random() % 3 == 0;
    if (random() % 4 == 0) r.free_table_clusters = random() % 3;
    if (random() % 4 == 0) r.base = "base";
    return r;
}

MemoryStore build_qcow2(const Qcow2Recipe& recipe, std::mt19937_64& random) {
    return Builder(recipe, random).build();
}

}  // namespace sfg::test
