// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/qcow2_checker.hpp"

#include <algorithm>
#include <vector>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/layout.hpp"

namespace sfg::test {

namespace {

using namespace sfg::qcow2;

// Larger images are not for tests.
constexpr std::uint64_t kMaxClusters = std::uint64_t{1} << 22;
constexpr std::uint64_t kMaxEntries = std::uint64_t{1} << 23;

constexpr std::uint64_t kOffset = 0x00fffffffffffe00;
constexpr std::uint64_t kCompressed = std::uint64_t{1} << 62;

struct Entry {
    std::uint64_t guest_cluster;
    std::uint64_t value;
    std::uint64_t bitmap;
};

class Reader {
  public:
    explicit Reader(ByteSource& file) : file_(file) {
        const auto head = bytes(0, 104);
        const auto u32 = [&](std::size_t at) { return load_be<std::uint32_t>(head, at); };
        const auto u64 = [&](std::size_t at) { return load_be<std::uint64_t>(head, at); };
        version = u32(field::kVersion);
        cluster_bits = u32(field::kClusterBits);
        size = u64(field::kSize);
        l1_size = u32(field::kL1Size);
        l1_offset = u64(field::kL1TableOffset);
        table_offset = u64(field::kRefcountTableOffset);
        table_clusters = u32(field::kRefcountTableClusters);
        snapshots = u32(field::kSnapshotCount);
        snapshots_offset = u64(field::kSnapshotsOffset);
        // A name of no bytes is no base, to qemu as well.
        has_base = u64(field::kBackingFileOffset) != 0 && u32(field::kBackingFileSize) != 0;
        if (version >= 3) {
            incompatible = u64(field::kIncompatibleFeatures);
            refcount_order = u32(field::kRefcountOrder);
        }
        extended = (incompatible & incompatible::kExtendedL2) != 0;
        length = file.size() ? *file.size() : 0;
        sane = u32(field::kMagic) == kMagic && cluster_bits >= 9 && cluster_bits <= 21 &&
               refcount_order <= 6;
        if (!sane) cluster_bits = 9;
        cluster = std::uint64_t{1} << cluster_bits;
        clusters = length / cluster + (length % cluster != 0 ? 1 : 0);
        per_l2 = cluster / (extended ? 16 : 8);
    }

    std::vector<std::byte> bytes(std::uint64_t offset, std::uint64_t count) {
        std::vector<std::byte> out(static_cast<std::size_t>(count));
        (void)file_.read_at(offset, out);
        return out;
    }

    std::vector<std::uint64_t> numbers(std::uint64_t offset, std::uint64_t count) {
        const auto raw = bytes(offset, count * 8);
        std::vector<std::uint64_t> out;
        for (std::size_t i = 0; i < raw.size(); i += 8)
            out.push_back(load_be<std::uint64_t>(raw, i));
        return out;
    }

    std::vector<Entry> l2(std::uint64_t offset, std::uint64_t l1_index) {
        const auto raw = numbers(offset, cluster / 8);
        std::vector<Entry> out;
        for (std::uint64_t i = 0; i < per_l2; ++i) {
            const std::size_t at = static_cast<std::size_t>(extended ? i * 2 : i);
            out.push_back({l1_index * per_l2 + i, raw[at], extended ? raw[at + 1] : 0});
        }
        return out;
    }

    // A compressed cluster's place; section "Cluster mapping".
    std::pair<std::uint64_t, std::uint64_t> compressed_place(std::uint64_t entry) const {
        const unsigned x = 62 - (cluster_bits - 8);
        const std::uint64_t offset = entry & ((std::uint64_t{1} << x) - 1);
        const std::uint64_t more = (entry & (kCompressed - 1)) >> x;
        return {offset, (more + 1) * 512 - offset % 512};
    }

    ByteSource& file_;
    bool sane = false;
    std::uint32_t version = 0, cluster_bits = 0, l1_size = 0, table_clusters = 0, snapshots = 0;
    std::uint32_t refcount_order = 4;
    std::uint64_t size = 0, l1_offset = 0, table_offset = 0, snapshots_offset = 0;
    std::uint64_t incompatible = 0, length = 0, cluster = 0, clusters = 0, per_l2 = 0;
    bool extended = false, has_base = false;
};

class Checker {
  public:
    explicit Checker(ByteSource& file) : in_(file) {}

    std::string run() {
        if (!in_.sane) return "no header";
        if (in_.clusters > kMaxClusters) return "too large to be checked";
        if ((in_.incompatible & (incompatible::kDirty | incompatible::kCorrupt)) != 0)
            return "marked as dirty or corrupt";
        const std::uint64_t per_l1_entry = in_.per_l2 * in_.cluster;
        if (in_.l1_size < in_.size / per_l1_entry + (in_.size % per_l1_entry != 0 ? 1 : 0))
            return "the L1 table is too short";
        uses_.assign(static_cast<std::size_t>(in_.clusters), 0);
        counts_.assign(uses_.size(), 0);
        use(0, in_.cluster, "header");
        use(in_.table_offset, in_.table_clusters * in_.cluster, "refcount table");
        if (!problem_.empty()) return problem_;
        read_counts();
        if (!problem_.empty()) return problem_;
        walk(in_.l1_offset, in_.l1_size, true);
        walk_snapshots();
        for (std::size_t i = 0; i < uses_.size() && problem_.empty(); ++i) {
            if (uses_[i] != counts_[i]) {
                problem_ = "cluster " + std::to_string(i) + " has refcount " +
                           std::to_string(counts_[i]) + " and " + std::to_string(uses_[i]) +
                           " uses";
            }
        }
        return problem_;
    }

  private:
    void fail(const std::string& what) {
        if (problem_.empty()) problem_ = what;
    }

    void use(std::uint64_t offset, std::uint64_t count, const std::string& what) {
        if (count == 0) return;
        const std::uint64_t end = in_.clusters * in_.cluster;
        if (offset > end || count > end - offset) return fail(what + " is behind the end");
        for (std::uint64_t i = offset / in_.cluster; i <= (offset + count - 1) / in_.cluster; ++i)
            ++uses_[static_cast<std::size_t>(i)];
    }

    void use_aligned(std::uint64_t offset, std::uint64_t count, const std::string& what) {
        if (offset % in_.cluster != 0) fail(what + " is not aligned");
        use(offset, count, what);
    }

    void read_counts() {
        const std::uint64_t bits = std::uint64_t{1} << in_.refcount_order;
        const std::uint64_t per_block = in_.cluster * 8 / bits;
        const auto table = in_.numbers(in_.table_offset, in_.table_clusters * in_.cluster / 8);
        for (std::uint64_t i = 0; i < table.size(); ++i) {
            const std::uint64_t block = table[static_cast<std::size_t>(i)];
            if (block == 0) continue;
            use_aligned(block, in_.cluster, "refcount block");
            if (!problem_.empty()) return;
            const auto raw = in_.bytes(block, in_.cluster);
            if (std::all_of(raw.begin(), raw.end(), [](auto b) { return b == std::byte{0}; }))
                continue;
            for (std::uint64_t j = 0; j < per_block; ++j) {
                const std::uint64_t number = i * per_block + j;
                const std::uint64_t count = count_at(raw, j, bits);
                if (number < in_.clusters) {
                    counts_[static_cast<std::size_t>(number)] = count;
                } else if (count != 0) {
                    fail("cluster " + std::to_string(number) + ", behind the end, is counted");
                }
            }
        }
    }

    // Bit by bit, the slow and plain way.
    static std::uint64_t count_at(const std::vector<std::byte>& raw, std::uint64_t index,
                                  std::uint64_t bits) {
        std::uint64_t count = 0;
        if (bits < 8) {
            for (std::uint64_t b = 0; b < bits; ++b) {
                const std::uint64_t at = index * bits + b;
                const auto byte = std::to_integer<unsigned>(raw[static_cast<std::size_t>(at / 8)]);
                count |= std::uint64_t{(byte >> (at % 8)) & 1} << b;
            }
            return count;
        }
        for (std::uint64_t b = 0; b < bits / 8; ++b) {
            const auto byte = raw[static_cast<std::size_t>(index * bits / 8 + b)];
            count = (count << 8) | std::to_integer<std::uint64_t>(byte);
        }
        return count;
    }

    std::uint64_t count_of(std::uint64_t offset) const {
        const auto i = static_cast<std::size_t>(offset / in_.cluster);
        return i < counts_.size() ? counts_[i] : 0;
    }

    void walk(std::uint64_t l1_offset, std::uint64_t l1_size, bool active) {
        if (l1_size > kMaxEntries / 2) return fail("an L1 table is too large");
        use_aligned(l1_offset, l1_size * 8, "L1 table");
        if (!problem_.empty()) return;
        const auto l1 = in_.numbers(l1_offset, l1_size);
        for (std::uint64_t i = 0; i < l1.size() && problem_.empty(); ++i) {
            const std::uint64_t entry = l1[static_cast<std::size_t>(i)];
            if (entry == 0) continue;
            if ((entry & ~(kOffset | kCopied)) != 0) return fail("an L1 entry has reserved bits");
            const std::uint64_t l2 = entry & kOffset;
            use_aligned(l2, in_.cluster, "L2 table");
            if (active && (count_of(l2) == 1) != ((entry & kCopied) != 0))
                return fail("COPIED is wrong in L1 entry " + std::to_string(i));
            entries_ += in_.per_l2;
            if (entries_ > kMaxEntries) return fail("too many L2 tables");
            if (!problem_.empty()) return;
            for (const Entry& e : in_.l2(l2, i)) walk_entry(e, active);
        }
    }

    void walk_entry(const Entry& e, bool active) {
        if ((e.value & kCompressed) != 0) {
            const auto [offset, count] = in_.compressed_place(e.value);
            if ((e.value & kCopied) != 0) fail("a compressed cluster has COPIED");
            return use(offset, count, "compressed cluster");
        }
        const std::uint64_t offset = e.value & kOffset;
        const std::uint64_t zero = in_.version >= 3 && !in_.extended ? 1 : 0;
        if ((e.value & ~(kOffset | kCopied | zero)) != 0) fail("an L2 entry has reserved bits");
        if ((e.bitmap & (e.bitmap >> 32)) != 0) fail("a subcluster is allocated and zero");
        if (offset == 0) {
            if ((e.value & kCopied) != 0) fail("COPIED without a cluster");
            if ((e.bitmap & 0xffffffff) != 0) fail("a subcluster is allocated in no cluster");
            return;
        }
        use_aligned(offset, in_.cluster, "data cluster");
        if (active && (count_of(offset) == 1) != ((e.value & kCopied) != 0))
            fail("COPIED is wrong for guest cluster " + std::to_string(e.guest_cluster));
    }

    void walk_snapshots() {
        std::uint64_t at = in_.snapshots_offset;
        for (std::uint32_t i = 0; i < in_.snapshots && problem_.empty(); ++i) {
            if (at >= in_.length) return fail("the snapshot table is behind the end");
            const auto head = in_.bytes(at, 40);
            walk(load_be<std::uint64_t>(head, 0), load_be<std::uint32_t>(head, 8), false);
            at += 40 + std::uint64_t{load_be<std::uint32_t>(head, 36)} +
                  load_be<std::uint16_t>(head, 12) + load_be<std::uint16_t>(head, 14);
            at = (at + 7) / 8 * 8;
        }
        use_aligned(in_.snapshots_offset, at - in_.snapshots_offset, "snapshot table");
    }

    Reader in_;
    std::vector<std::uint64_t> uses_;
    std::vector<std::uint64_t> counts_;
    std::uint64_t entries_ = 0;
    std::string problem_;
};

template <typename Body>
void for_each_entry(Reader& in, Body body) {
    const auto l1 = in.numbers(in.l1_offset, in.l1_size);
    for (std::uint64_t i = 0; i < l1.size(); ++i) {
        const std::uint64_t l2 = l1[static_cast<std::size_t>(i)] & kOffset;
        if (l2 == 0) continue;
        for (const Entry& entry : in.l2(l2, i)) body(entry);
    }
}

std::string text(const std::vector<std::byte>& bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

bool is_zeros(const std::string& data) {
    return data.find_first_not_of('\0') == std::string::npos;
}

}  // namespace

std::string check_qcow2(ByteSource& file) {
    return Checker(file).run();
}

std::map<std::uint64_t, std::string> guest_content(ByteSource& file, std::uint64_t bytes) {
    Reader in(file);
    const std::uint64_t parts = in.extended ? 32 : 1;
    const std::uint64_t part = in.cluster / parts;
    std::map<std::uint64_t, std::string> content;
    if (in.has_base) {  // where nothing else is said
        for (std::uint64_t i = 0; i * part < bytes; ++i) content[i] = "base";
    }
    for_each_entry(in, [&](const Entry& entry) {
        for (std::uint64_t i = 0; i < parts; ++i) {
            const std::uint64_t number = entry.guest_cluster * parts + i;
            if (number * part >= bytes) return;
            if ((entry.value & kCompressed) != 0) {
                const auto [offset, count] = in.compressed_place(entry.value);
                content[number] = "compressed " + text(in.bytes(offset, count));
                continue;
            }
            const std::uint64_t host = entry.value & kOffset;
            const bool zero = in.extended ? ((entry.bitmap >> (32 + i)) & 1) != 0
                                          : in.version >= 3 && (entry.value & 1) != 0;
            const bool allocated = in.extended ? ((entry.bitmap >> i) & 1) != 0 : host != 0;
            if (!zero && !allocated) continue;
            const std::uint64_t length = std::min(part, bytes - number * part);
            std::string data = zero ? "" : text(in.bytes(host + i * part, length));
            content.erase(number);
            if (!is_zeros(data)) content[number] = std::move(data);
        }
    });
    return content;
}

std::uint64_t allocated_end(ByteSource& file) {
    Reader in(file);
    std::uint64_t end = 0;
    for_each_entry(in, [&](const Entry& entry) {
        if ((entry.value & (kOffset | kCompressed)) != 0)
            end = std::max(end, (entry.guest_cluster + 1) * in.cluster);
    });
    return end;
}

std::uint64_t marked_as_zeros(ByteSource& file) {
    Reader in(file);
    std::uint64_t marked = 0;
    for_each_entry(in, [&](const Entry& entry) {
        if (entry.value == 1 || (entry.value == 0 && entry.bitmap != 0)) ++marked;
    });
    return marked;
}

std::uint64_t unallocated_clusters(ByteSource& file) {
    Reader in(file);
    const std::uint64_t disk = (in.size + in.cluster - 1) / in.cluster;
    std::uint64_t known = 0;
    for_each_entry(in, [&](const Entry& entry) {
        if ((entry.value != 0 || entry.bitmap != 0) && entry.guest_cluster < disk) ++known;
    });
    return disk - known;
}

}  // namespace sfg::test
