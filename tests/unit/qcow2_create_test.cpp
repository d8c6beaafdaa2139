// SPDX-License-Identifier: LGPL-2.1-or-later
// What create() makes, read back by our own parser and by a walk over all its tables.
// qcow2_qemu_test.cpp asks qemu-img about the same.
#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/create.hpp"
#include "driver/qcow2/header.hpp"
#include "driver/qcow2/layout.hpp"
#include "tests/support/fault_store.hpp"
#include "tests/support/memory_store.hpp"

namespace sfg::qcow2 {

namespace {

using test::FaultStore;
using test::MemoryStore;
using Preallocation = CreateOptions::Preallocation;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

std::string describe(const CreateOptions& options) {
    return "size " + std::to_string(options.virtual_size) + " cluster " +
           std::to_string(options.cluster_size) + " version " + std::to_string(options.version) +
           (options.lazy_refcounts ? " lazy" : "") + (options.extended_l2 ? " extended_l2" : "") +
           " preallocation " + std::to_string(static_cast<int>(options.preallocation)) +
           (options.backing_file ? " base " + *options.backing_file : "");
}

// Walks from the header over all tables and counts who uses each cluster of the file; the counts
// must be the refcounts, and each data cluster must be where preallocation puts it.
class TableWalk {
  public:
    TableWalk(MemoryStore& file, const Header& header) : file_(file), header_(header) {}

    // Empty, or what is wrong.
    std::string run() {
        const std::uint64_t size = *file_.size();
        if (size % header_.cluster_size() != 0) return "the length is not a whole cluster";
        uses_.assign(size / header_.cluster_size(), 0);
        use(0, 1);
        use(header_.refcount_table_offset, header_.refcount_table_clusters);
        use(header_.l1_table_offset,
            (header_.l1_size * 8 + header_.cluster_size() - 1) / header_.cluster_size());
        walk_mapping();
        const std::vector<std::uint64_t> table =
            entries(header_.refcount_table_offset,
                    header_.refcount_table_clusters * header_.cluster_size() / 8);
        for (std::uint64_t block : table)
            if (block != 0) use(block, 1);
        check_refcounts(table);
        return problem_;
    }

    std::uint64_t mapped_clusters() const { return mapped_; }

  private:
    std::vector<std::uint64_t> entries(std::uint64_t offset, std::uint64_t count) {
        const auto bytes = file_.bytes(offset, static_cast<std::size_t>(count * 8));
        std::vector<std::uint64_t> out(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = load_be<std::uint64_t>(bytes, i * 8);
        return out;
    }

    void use(std::uint64_t offset, std::uint64_t clusters) {
        if (offset % header_.cluster_size() != 0) problem_ = "an offset is not aligned";
        for (std::uint64_t i = 0; i < clusters; ++i) {
            const std::uint64_t number = offset / header_.cluster_size() + i;
            if (number >= uses_.size()) {
                problem_ = "something is behind the end of the file";
                return;
            }
            ++uses_[static_cast<std::size_t>(number)];
        }
    }

    void walk_mapping() {
        const std::uint64_t step = header_.extended_l2() ? 2 : 1;
        for (std::uint64_t l1_entry : entries(header_.l1_table_offset, header_.l1_size)) {
            if (l1_entry == 0) continue;
            if ((l1_entry & kCopied) == 0) problem_ = "an L1 entry without COPIED";
            const std::uint64_t l2 = l1_entry & ~kCopied;
            use(l2, 1);
            const auto table = entries(l2, header_.cluster_size() / 8);
            for (std::size_t i = 0; i < table.size(); i += step) {
                if (step == 2 && table[i + 1] != 0) problem_ = "a subcluster bit is set";
                if (table[i] == 0) continue;
                if ((table[i] & kCopied) == 0) problem_ = "an L2 entry without COPIED";
                use(table[i] & ~kCopied, 1);
                ++mapped_;
            }
        }
    }

    void check_refcounts(const std::vector<std::uint64_t>& table) {
        const std::uint64_t per_block = header_.cluster_size() / 2;
        for (std::size_t i = 0; i < table.size(); ++i) {
            if (table[i] == 0) continue;
            const auto block =
                file_.bytes(table[i], static_cast<std::size_t>(header_.cluster_size()));
            for (std::uint64_t j = 0; j < per_block; ++j) {
                const std::uint64_t number = i * per_block + j;
                const auto count = load_be<std::uint16_t>(block, static_cast<std::size_t>(j * 2));
                const unsigned uses =
                    number < uses_.size() ? uses_[static_cast<std::size_t>(number)] : 0;
                if (count != uses && problem_.empty()) {
                    problem_ = "cluster " + std::to_string(number) + " has refcount " +
                               std::to_string(count) + " and " + std::to_string(uses) + " uses";
                }
            }
        }
        if (table.size() * per_block < uses_.size())
            problem_ = "the refcounts do not reach the end";
    }

    MemoryStore& file_;
    const Header& header_;
    std::vector<unsigned> uses_;
    std::uint64_t mapped_ = 0;
    std::string problem_;
};

void expect_image_as_asked(const CreateOptions& options) {
    MemoryStore file;
    auto created = create(file, options);
    ASSERT_TRUE(created) << created.error().message();
    ASSERT_EQ(*file.size(), file_length(options));
    ASSERT_EQ(*file.size() % options.cluster_size, 0u);

    auto header = read_header(file);
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->version, static_cast<std::uint32_t>(options.version));
    EXPECT_EQ(header->virtual_size, options.virtual_size);
    EXPECT_EQ(header->cluster_size(), options.cluster_size);
    EXPECT_EQ(header->lazy_refcounts(), options.lazy_refcounts);
    EXPECT_EQ(header->extended_l2(), options.extended_l2);
    EXPECT_EQ(header->backing_file, options.backing_file);
    EXPECT_EQ(header->backing_format, options.backing_format);
    EXPECT_EQ(header->refcount_order, 4u);
    EXPECT_FALSE(header->encrypted());
    EXPECT_FALSE(header->dirty());
    EXPECT_FALSE(header->has_external_data_file());

    const std::uint64_t clusters =
        (options.virtual_size + options.cluster_size - 1) / options.cluster_size;
    const bool preallocated = options.preallocation != Preallocation::off;
    EXPECT_EQ(metadata_size(options) + (preallocated ? clusters * options.cluster_size : 0),
              file_length(options));
    if (*file.size() / options.cluster_size > 20000) return;
    TableWalk walk(file, *header);
    EXPECT_EQ(walk.run(), "");
    EXPECT_EQ(walk.mapped_clusters(), preallocated ? clusters : 0);
}

// Runs `body` for every combination that can be made, with sizes that suit the clusters.
void for_each_combination(const std::function<void(const CreateOptions&)>& body) {
    std::mt19937_64 random(20240607);
    for (std::uint32_t cluster_size = 512; cluster_size <= 2 * kMiB; cluster_size *= 2) {
        for (bool extended_l2 : {false, true}) {
            const std::uint64_t largest = max_virtual_size(cluster_size, extended_l2);
            if (largest == 0) continue;
            const std::vector<std::uint64_t> sizes = {0,
                                                      512,
                                                      cluster_size,
                                                      cluster_size - 512,
                                                      cluster_size + 512,
                                                      kGiB,
                                                      10 * kGiB + 512,
                                                      largest,
                                                      random() % largest / 512 * 512};
            for (std::uint64_t size : sizes) {
                for (int version : {2, 3}) {
                    for (bool lazy : {false, true}) {
                        for (bool base : {false, true}) {
                            for (auto preallocation :
                                 {Preallocation::off, Preallocation::metadata,
                                  Preallocation::falloc, Preallocation::full}) {
                                CreateOptions options;
                                options.virtual_size = size;
                                options.cluster_size = cluster_size;
                                options.version = version;
                                options.lazy_refcounts = lazy;
                                options.extended_l2 = extended_l2;
                                options.preallocation = preallocation;
                                if (base) {
                                    options.backing_file = "../image_cache/base.v001";
                                    options.backing_format = "qcow2";
                                }
                                body(options);
                            }
                        }
                    }
                }
            }
        }
    }
}

// Whether making it takes so long that the product leaves it out.
bool is_slow(const CreateOptions& options) {
    if (options.preallocation == Preallocation::off) return false;
    if (options.preallocation == Preallocation::full) return options.virtual_size > 64 * kMiB;
    return options.virtual_size / options.cluster_size > 20000;
}

CreateOptions good() {
    CreateOptions options;
    options.virtual_size = kGiB;
    return options;
}

CreateOptions with(const std::function<void(CreateOptions&)>& change) {
    CreateOptions options = good();
    change(options);
    return options;
}

void expect_refused(const CreateOptions& options, ErrorKind kind, const std::string& words) {
    auto checked = check_options(options);
    ASSERT_FALSE(checked) << describe(options);
    EXPECT_EQ(checked.error().kind(), kind) << checked.error().message();
    EXPECT_NE(checked.error().message().find(words), std::string::npos)
        << checked.error().message();
    MemoryStore file;
    EXPECT_FALSE(create(file, options));
    EXPECT_EQ(*file.size(), 0u) << "something was written before the refusal";
}

}  // namespace

TEST(Qcow2CreateTest, EveryCombinationIsAsAskedOrRefused) {
    int made = 0;
    for_each_combination([&made](const CreateOptions& options) {
        SCOPED_TRACE(describe(options));
        const bool fits = options.version == 3 || (!options.lazy_refcounts && !options.extended_l2);
        const bool base_fits = !options.backing_file ||
                               options.preallocation == Preallocation::off || options.extended_l2;
        if (!fits || !base_fits) {
            EXPECT_FALSE(check_options(options));
            return;
        }
        if (is_slow(options)) return;
        ASSERT_TRUE(check_options(options)) << check_options(options).error().message();
        expect_image_as_asked(options);
        ++made;
    });
    EXPECT_GT(made, 1000);
}

TEST(Qcow2CreateTest, ASmallImageTakesOneWrite) {
    for (std::uint32_t cluster_size = 512; cluster_size <= 256 * 1024; cluster_size *= 2) {
        FaultStore file;
        ASSERT_TRUE(create(file, with([&](auto& o) { o.cluster_size = cluster_size; })));
        EXPECT_EQ(file.log().size(), 1u) << cluster_size;
    }
}

TEST(Qcow2CreateTest, LargeClustersTakeFewCallsAndLittleData) {
    for (std::uint32_t cluster_size : {512u << 10, 1u << 20, 2u << 20}) {
        FaultStore file;
        ASSERT_TRUE(create(file, with([&](auto& o) { o.cluster_size = cluster_size; })));
        EXPECT_LE(file.log().size(), 4u) << cluster_size;
        EXPECT_LE(file.content().written_bytes(), 16384u) << cluster_size;
    }
}

TEST(Qcow2CreateTest, AHugeImageTakesTwoCallsAndLittleData) {
    FaultStore file;
    ASSERT_TRUE(create(file, with([](auto& o) { o.virtual_size = kGiB << 16; })));
    EXPECT_LE(file.log().size(), 2u);
    EXPECT_LE(file.content().written_bytes(), 256u << 10);
}

TEST(Qcow2CreateTest, WritesAreBoundedWhateverIsPreallocated) {
    FaultStore file;
    ASSERT_TRUE(create(file, with([](auto& o) {
                           o.virtual_size = 32 * kGiB;
                           o.preallocation = Preallocation::metadata;
                       })));
    for (const FaultStore::Entry& entry : file.log()) EXPECT_LE(entry.length, kMiB);
}

TEST(Qcow2CreateTest, FullWritesEveryByteOfTheDataOnce) {
    const CreateOptions options = with([](auto& o) {
        o.virtual_size = 10 * kMiB + 512;
        o.preallocation = Preallocation::full;
    });
    FaultStore file;
    ASSERT_TRUE(create(file, options));
    std::uint64_t next = 0;
    for (const FaultStore::Entry& entry : file.log()) {
        ASSERT_EQ(entry.call, FaultStore::Call::write);
        EXPECT_EQ(entry.offset, next);
        next = entry.offset + entry.length;
    }
    EXPECT_EQ(next, file_length(options));
}

TEST(Qcow2CreateTest, FallocReservesTheWholeFileFirst) {
    const CreateOptions options = with([](auto& o) { o.preallocation = Preallocation::falloc; });
    FaultStore file;
    ASSERT_TRUE(create(file, options));
    EXPECT_EQ(file.log().front().call, FaultStore::Call::allocate);
    EXPECT_EQ(file.log().front().offset, 0u);
    EXPECT_EQ(file.log().front().length, file_length(options));
    EXPECT_EQ(file.count(FaultStore::Call::resize), 0u);
}

TEST(Qcow2CreateTest, FallocWritesZerosWhereNothingCanBeReserved) {
    const CreateOptions options = with([](auto& o) {
        o.virtual_size = 3 * kMiB;
        o.preallocation = Preallocation::falloc;
    });
    FaultStore file;
    file.faults().fail_kind = FaultStore::Call::allocate;
    file.faults().error = Error(ErrorKind::unsupported, "not here");
    ASSERT_TRUE(create(file, options));
    EXPECT_GE(file.content().written_bytes(), 3 * kMiB);
    EXPECT_EQ(*file.content().size(), file_length(options));
}

TEST(Qcow2CreateTest, FallocOnAFullBrickIsTheErrorAndWritesNothing) {
    FaultStore file;
    file.faults().fail_kind = FaultStore::Call::allocate;
    file.faults().error = Error(ErrorKind::no_space, "full");
    auto created = create(file, with([](auto& o) { o.preallocation = Preallocation::falloc; }));
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().kind(), ErrorKind::no_space);
    EXPECT_EQ(file.count(FaultStore::Call::write), 0u);
}

TEST(Qcow2CreateTest, TheFailureOfAnyCallIsReported) {
    for (auto preallocation : {Preallocation::off, Preallocation::metadata, Preallocation::falloc,
                               Preallocation::full}) {
        for (std::uint32_t cluster_size : {4096u, 65536u, 2u << 20}) {
            const CreateOptions options = with([&](auto& o) {
                o.virtual_size = 5 * kMiB;
                o.cluster_size = cluster_size;
                o.preallocation = preallocation;
            });
            FaultStore whole;
            ASSERT_TRUE(create(whole, options));
            for (std::size_t call = 0; call < whole.log().size(); ++call) {
                FaultStore file;
                file.faults().fail_call = call;
                file.faults().error = Error(ErrorKind::io, "call failed");
                auto created = create(file, options);
                ASSERT_FALSE(created) << describe(options) << " call " << call;
                EXPECT_EQ(created.error().message(), "call failed");
                EXPECT_EQ(file.log().size(), call + 1) << "went on after an error";
            }
        }
    }
}

TEST(Qcow2CreateTest, WhatIsNotFlushedIsLostAndWhatIsFlushedStays) {
    FaultStore file;
    ASSERT_TRUE(create(file, good()));
    FaultStore flushed = file;
    file.crash();
    EXPECT_EQ(*file.content().size(), 0u) << "create() must leave the flush to its caller";
    ASSERT_TRUE(flushed.flush());
    flushed.crash();
    auto header = read_header(flushed);
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->virtual_size, kGiB);
}

TEST(Qcow2CreateTest, ANameThatJustFitsTheClusterIsTaken) {
    for (int version : {2, 3}) {
        const auto options_for = [&](std::size_t length) {
            return with([&](auto& o) {
                o.cluster_size = 512;
                o.version = version;
                o.backing_file = std::string(length, 'n');
                o.backing_format = "qcow2";
            });
        };
        std::size_t longest = 0;
        while (check_options(options_for(longest + 1))) ++longest;
        EXPECT_GT(longest, 300u);
        expect_image_as_asked(options_for(longest));
        expect_refused(options_for(longest + 1), ErrorKind::unsupported, "does not fit");
    }
}

TEST(Qcow2CreateTest, TheLongestNameIsTaken) {
    expect_image_as_asked(with([](auto& o) {
        o.backing_file = std::string(1023, 'n');
        o.backing_format = "raw";
    }));
    expect_refused(with([](auto& o) { o.backing_file = std::string(1024, 'n'); }),
                   ErrorKind::invalid, "1024 bytes");
}

TEST(Qcow2CreateTest, WhatCannotBeRightIsRefusedInPlainWords) {
    expect_refused(with([](auto& o) { o.virtual_size = 513; }), ErrorKind::invalid,
                   "multiple of 512");
    expect_refused(with([](auto& o) { o.backing_file = ""; }), ErrorKind::invalid, "empty");
    expect_refused(with([](auto& o) { o.backing_file = std::string("a\0b", 3); }),
                   ErrorKind::invalid, "NUL");
    expect_refused(with([](auto& o) { o.backing_format = "raw"; }), ErrorKind::invalid,
                   "no backing file");
    expect_refused(with([](auto& o) {
                       o.backing_file = "b";
                       o.backing_format = "";
                   }),
                   ErrorKind::invalid, "backing format");
    expect_refused(with([](auto& o) {
                       o.backing_file = "b";
                       o.backing_format = "sixteen-letters!";
                   }),
                   ErrorKind::invalid, "backing format");
}

TEST(Qcow2CreateTest, WhatQcow2DoesNotHaveIsRefusedInPlainWords) {
    for (std::uint32_t cluster_size : {0u, 1u, 256u, 511u, 513u, 65535u, 65537u, 4u << 20}) {
        expect_refused(with([&](auto& o) { o.cluster_size = cluster_size; }),
                       ErrorKind::unsupported, "not " + std::to_string(cluster_size));
        EXPECT_EQ(max_virtual_size(cluster_size, false), 0u);
    }
    expect_refused(with([](auto& o) { o.version = 1; }), ErrorKind::unsupported, "not 1");
    expect_refused(with([](auto& o) { o.version = 4; }), ErrorKind::unsupported, "not 4");
    expect_refused(with([](auto& o) {
                       o.version = 2;
                       o.lazy_refcounts = true;
                   }),
                   ErrorKind::unsupported, "lazy refcounts");
    expect_refused(with([](auto& o) {
                       o.version = 2;
                       o.extended_l2 = true;
                   }),
                   ErrorKind::unsupported, "extended L2");
    expect_refused(with([](auto& o) {
                       o.cluster_size = 8192;
                       o.extended_l2 = true;
                   }),
                   ErrorKind::unsupported, "at least 16384");
    expect_refused(with([](auto& o) {
                       o.backing_file = "base";
                       o.preallocation = Preallocation::metadata;
                   }),
                   ErrorKind::unsupported, "needs extended L2");
}

TEST(Qcow2CreateTest, ASizeOverTheLargestIsRefusedWithTheLargest) {
    for (std::uint32_t cluster_size = 512; cluster_size <= 2 * kMiB; cluster_size *= 2) {
        const std::uint64_t largest = max_virtual_size(cluster_size, false);
        for (std::uint64_t size : {largest + 512, ~std::uint64_t{511}}) {
            expect_refused(with([&](auto& o) {
                               o.cluster_size = cluster_size;
                               o.virtual_size = size;
                           }),
                           ErrorKind::unsupported, "at most " + std::to_string(largest));
        }
    }
}

TEST(Qcow2CreateTest, WhatItsOwnRefcountsCannotCountIsNotPreallocated) {
    expect_refused(with([](auto& o) {
                       o.cluster_size = 512;
                       o.virtual_size = max_virtual_size(512, false);
                       o.preallocation = Preallocation::metadata;
                   }),
                   ErrorKind::unsupported, "too large to be preallocated");
    expect_refused(with([](auto& o) {
                       o.cluster_size = 2u << 20;
                       o.virtual_size = std::uint64_t{1} << 56;
                       o.preallocation = Preallocation::falloc;
                   }),
                   ErrorKind::unsupported, "too large to be preallocated");
}

}  // namespace sfg::qcow2
