// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/rewrite_header.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/create.hpp"
#include "driver/qcow2/header.hpp"
#include "driver/qcow2/layout.hpp"
#include "tests/support/fault_store.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/qcow2_checker.hpp"

namespace sfg::qcow2 {

namespace {

using test::FaultStore;
using test::MemoryStore;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint32_t kUnknownExtension = 0x12345678;

MemoryStore image(int version = 3, std::uint64_t cluster_size = 65536,
                  const std::string& base = "old/base") {
    CreateOptions options;
    options.virtual_size = 10 * kMiB;
    options.version = version;
    options.cluster_size = cluster_size;
    if (!base.empty()) {
        options.backing_file = base;
        options.backing_format = "qcow2";
    }
    MemoryStore file;
    EXPECT_TRUE(create(file, options));
    return file;
}

HeaderChanges base(const std::string& name, std::optional<std::string> format = std::nullopt) {
    HeaderChanges changes;
    changes.change_base = true;
    changes.base = RecordedBase{name, std::move(format)};
    return changes;
}

HeaderChanges no_base() {
    HeaderChanges changes;
    changes.change_base = true;
    return changes;
}

HeaderChanges lazy(bool on) {
    HeaderChanges changes;
    changes.lazy_refcounts = on;
    return changes;
}

void put(MemoryStore& file, std::uint64_t offset, std::vector<std::uint64_t> words) {
    std::vector<std::byte> bytes(words.size() * 8);
    for (std::size_t i = 0; i < words.size(); ++i) store_be(std::span(bytes), i * 8, words[i]);
    ASSERT_TRUE(file.write_at(offset, bytes));
}

// An image without a base and with two extensions: one that nobody knows, and bitmaps.
MemoryStore with_extensions() {
    MemoryStore file = image(3, 65536, "");
    EXPECT_TRUE(file.write_at(kHeaderLengthV3Written, std::vector<std::byte>(1000)));
    put(file, field::kAutoclearFeatures, {autoclear::kBitmaps | std::uint64_t{1} << 50});
    put(file, kHeaderLengthV3Written,
        {std::uint64_t{kUnknownExtension} << 32 | 5, 0x6162636465000000,
         std::uint64_t{extension::kBitmaps} << 32 | kBitmapsExtensionLength, std::uint64_t{1} << 32,
         64, 0x50000, 0});
    return file;
}

std::vector<std::byte> first_bytes(MemoryStore& file, std::size_t count = 65536) {
    return file.bytes(0, count);
}

bool contains(MemoryStore& file, std::string_view text) {
    const auto bytes = first_bytes(file);
    const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return all.find(text) != std::string_view::npos;
}

void expect_refused(MemoryStore file, const HeaderChanges& changes, ErrorKind kind,
                    const std::string& words) {
    FaultStore store(std::move(file));
    const auto done = rewrite_header(store, changes);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind(), kind) << done.error().message();
    EXPECT_NE(done.error().message().find(words), std::string::npos) << done.error().message();
    EXPECT_EQ(store.count(FaultStore::Call::write), 0u);
}

}  // namespace

TEST(Qcow2RewriteHeaderTest, ABaseIsRecordedReplacedAndRemoved) {
    for (int version : {2, 3}) {
        for (std::uint64_t cluster_size : {512u, 4096u, 65536u, 2u << 20}) {
            MemoryStore file = image(version, cluster_size);
            const auto before = *read_header(file);
            for (const auto& changes :
                 {base("x"), base("../a/much/longer/name/of/the/same/base", "raw"), no_base(),
                  base("y", "qcow2"), base("yz")}) {
                auto done = rewrite_header(file, changes);
                ASSERT_TRUE(done) << done.error().message();
                const auto header = read_header(file);
                ASSERT_TRUE(header) << header.error().message();
                if (changes.base) {
                    EXPECT_EQ(header->backing_file, changes.base->file);
                    EXPECT_EQ(header->backing_format, changes.base->format);
                } else {
                    EXPECT_FALSE(header->backing_file);
                    EXPECT_FALSE(header->backing_format);
                    EXPECT_EQ(header->backing_file_offset, 0u);
                }
                EXPECT_EQ(header->virtual_size, before.virtual_size);
                EXPECT_EQ(header->l1_table_offset, before.l1_table_offset);
                EXPECT_EQ(header->header_length, before.header_length);
                EXPECT_EQ(test::check_qcow2(file), "");
            }
        }
    }
}

TEST(Qcow2RewriteHeaderTest, TheSameBaseAgainGivesTheSameBytes) {
    MemoryStore file = image();
    const auto before = first_bytes(file);
    ASSERT_TRUE(rewrite_header(file, base("old/base", "qcow2")));
    EXPECT_TRUE(first_bytes(file) == before);
}

TEST(Qcow2RewriteHeaderTest, NothingOfALongerNameStays) {
    MemoryStore file = image(3, 65536, std::string(500, 'n') + "/secret");
    ASSERT_TRUE(rewrite_header(file, base("b")));
    EXPECT_FALSE(contains(file, "secret"));
    EXPECT_FALSE(contains(file, "nn"));
}

TEST(Qcow2RewriteHeaderTest, OtherExtensionsStay) {
    MemoryStore file = with_extensions();
    ASSERT_TRUE(rewrite_header(file, base("b", "raw")));
    const auto header = read_header(file);
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->backing_file, "b");
    EXPECT_TRUE(header->has_bitmaps);
    EXPECT_TRUE(contains(file, "abcde"));
    ASSERT_TRUE(rewrite_header(file, no_base()));
    EXPECT_TRUE(read_header(file)->has_bitmaps);
    // All is where it was before.
    MemoryStore again = with_extensions();
    ASSERT_TRUE(rewrite_header(again, lazy(false)));
    EXPECT_TRUE(first_bytes(file) == first_bytes(again));
    // The names of features too, with clusters in which there is room for them.
    MemoryStore named = image();
    ASSERT_TRUE(rewrite_header(named, base("c")));
    EXPECT_TRUE(contains(named, "lazy refcounts"));
}

TEST(Qcow2RewriteHeaderTest, OnlyUnknownAutoclearFeaturesAreCleared) {
    for (const auto& changes : {base("b"), lazy(true), HeaderChanges()}) {
        MemoryStore file = with_extensions();
        ASSERT_TRUE(rewrite_header(file, changes));
        EXPECT_EQ(read_header(file)->autoclear_features, autoclear::kBitmaps);
    }
}

TEST(Qcow2RewriteHeaderTest, LazyRefcountsAreTurnedOnAndOff) {
    MemoryStore file = image();
    const auto before = first_bytes(file);
    put(file, field::kCompatibleFeatures, {std::uint64_t{1} << 33});  // unknown ones stay
    ASSERT_TRUE(rewrite_header(file, lazy(true)));
    EXPECT_TRUE(read_header(file)->lazy_refcounts());
    ASSERT_TRUE(rewrite_header(file, base("old/base", "qcow2")));
    EXPECT_TRUE(read_header(file)->lazy_refcounts());
    ASSERT_TRUE(rewrite_header(file, lazy(false)));
    EXPECT_EQ(read_header(file)->compatible_features, std::uint64_t{1} << 33);
    put(file, field::kCompatibleFeatures, {0});
    EXPECT_TRUE(first_bytes(file) == before);

    MemoryStore old = image(2);
    EXPECT_TRUE(rewrite_header(old, lazy(false)));
    expect_refused(old, lazy(true), ErrorKind::unsupported, "version 3");
}

TEST(Qcow2RewriteHeaderTest, ItIsOneWriteInsideTheFirstCluster) {
    for (const auto& changes : {base(std::string(1000, 'n'), "raw"), no_base(), lazy(true)}) {
        FaultStore file(image());
        ASSERT_TRUE(rewrite_header(file, changes));
        EXPECT_EQ(file.count(FaultStore::Call::write), 1u);
        for (const auto& entry : file.log()) {
            if (entry.call == FaultStore::Call::write) {
                EXPECT_LE(entry.offset + entry.length, 65536u);
            }
        }
    }
}

TEST(Qcow2RewriteHeaderTest, ANameThatJustFitsTheClusterIsTaken) {
    for (int version : {2, 3}) {
        std::size_t longest = 0;
        for (std::size_t length = 1; length < 512; ++length) {
            MemoryStore file = image(version, 512, "");
            const auto next = file.bytes(512, 512);
            if (!rewrite_header(file, base(std::string(length, 'n'), "raw"))) break;
            EXPECT_EQ(file.bytes(512, 512), next);
            longest = length;
        }
        EXPECT_EQ(longest, version == 2 ? 512u - 72 - 16 - 8 : 512u - 112 - 16 - 8);
        expect_refused(image(version, 512, ""), base(std::string(longest + 1, 'n'), "raw"),
                       ErrorKind::unsupported, "does not fit");
    }
}

TEST(Qcow2RewriteHeaderTest, WhatCannotBeRightIsRefusedInPlainWords) {
    expect_refused(image(), base(""), ErrorKind::invalid, "empty");
    expect_refused(image(), base(std::string("a\0b", 3)), ErrorKind::invalid, "NUL");
    expect_refused(image(), base(std::string(1024, 'n')), ErrorKind::invalid, "1024 bytes");
    expect_refused(image(), base("b", "sixteen-letters!"), ErrorKind::invalid, "backing format");
    expect_refused(MemoryStore(), base("b"), ErrorKind::invalid, "not a qcow2 image");
    MemoryStore corrupt = image();
    put(corrupt, field::kIncompatibleFeatures, {incompatible::kCorrupt});
    expect_refused(corrupt, base("b"), ErrorKind::corrupt, "marked as corrupt");
    MemoryStore raw = image(3, 65536, "");
    put(raw, field::kIncompatibleFeatures, {incompatible::kExternalDataFile});
    put(raw, field::kAutoclearFeatures, {autoclear::kRawExternalData});
    expect_refused(raw, base("b"), ErrorKind::unsupported, "raw external data");
    EXPECT_TRUE(rewrite_header(raw, lazy(true)));
}

TEST(Qcow2RewriteHeaderTest, TheFailureOfAnyCallIsReported) {
    FaultStore whole(image());
    ASSERT_TRUE(rewrite_header(whole, base("b")));
    for (std::size_t call = 0; call < whole.log().size(); ++call) {
        FaultStore file(image());
        file.faults().fail_call = call;
        file.faults().error = Error(ErrorKind::io, "call failed");
        const auto done = rewrite_header(file, base("b"));
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().message(), "call failed");
    }
}

}  // namespace sfg::qcow2
