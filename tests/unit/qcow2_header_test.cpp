// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading headers: good ones in all shapes, and one damaged field per case.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <string_view>
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
using Bytes = std::vector<std::byte>;

// The first bytes of an image, to be damaged.
class Image {
  public:
    explicit Image(const CreateOptions& options = {}) {
        MemoryStore file;
        auto created = create(file, options);
        EXPECT_TRUE(created) << created.error().message();
        bytes_ = file.bytes(0, options.cluster_size);
    }

    Image& poke32(std::size_t offset, std::uint32_t value) {
        store_be<std::uint32_t>(bytes_, offset, value);
        return *this;
    }
    Image& poke64(std::size_t offset, std::uint64_t value) {
        store_be<std::uint64_t>(bytes_, offset, value);
        return *this;
    }
    Image& poke(std::size_t offset, std::string_view text) {
        const auto from = std::as_bytes(std::span(text.data(), text.size()));
        std::copy(from.begin(), from.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
        return *this;
    }
    // Replaces the extensions and what is behind them by none.
    Image& clear_extensions() {
        std::fill(bytes_.begin() + 112, bytes_.end(), std::byte{0});
        next_ = 112;
        return *this;
    }
    Image& extension(std::uint32_t type, std::string_view data) {
        poke32(next_, type).poke32(next_ + 4, static_cast<std::uint32_t>(data.size()));
        poke(next_ + 8, data);
        next_ += 8 + (data.size() + 7) / 8 * 8;
        return *this;
    }
    Image& cut(std::size_t length) {
        bytes_.resize(length);
        return *this;
    }

    const Bytes& bytes() const { return bytes_; }
    Result<Header> parse() const {
        MemoryStore file(bytes_);
        return read_header(file);
    }
    ClaimedNames claimed() const {
        MemoryStore file(bytes_);
        return claimed_names({}, [&](std::uint64_t offset, std::span<std::byte> buffer) {
            return file.read_at(offset, buffer);
        });
    }

  private:
    Bytes bytes_;
    std::size_t next_ = 112;
};

CreateOptions disk(std::uint64_t size, std::uint32_t cluster_size = 65536, int version = 3) {
    CreateOptions options;
    options.virtual_size = size;
    options.cluster_size = cluster_size;
    options.version = version;
    return options;
}

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

Image image() {
    return Image(disk(64 * kMiB));
}

Image overlay() {
    CreateOptions options = disk(64 * kMiB);
    options.backing_file = "base.qcow2";
    options.backing_format = "qcow2";
    return Image(options);
}

std::string be(std::initializer_list<std::uint64_t> values) {
    std::string out;
    for (std::uint64_t value : values)
        for (int shift = 56; shift >= 0; shift -= 8)
            out.push_back(static_cast<char>((value >> shift) & 0xff));
    return out;
}

std::string feature(char type, char bit, std::string_view name) {
    std::string out{type, bit};
    out.append(name);
    out.resize(48);
    return out;
}

void expect_error(const Image& image, ErrorKind kind, const std::vector<std::string>& words) {
    auto header = image.parse();
    ASSERT_FALSE(header) << "was taken";
    EXPECT_EQ(header.error().kind(), kind) << header.error().message();
    for (const std::string& word : words) {
        EXPECT_NE(header.error().message().find(word), std::string::npos)
            << "'" << word << "' is not in: " << header.error().message();
    }
}

void expect_corrupt(const Image& image, const std::vector<std::string>& words) {
    expect_error(image, ErrorKind::corrupt, words);
}

}  // namespace

TEST(Qcow2HeaderTest, AFreshImageIsRead) {
    auto header = image().parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->version, 3u);
    EXPECT_EQ(header->virtual_size, 64 * kMiB);
    EXPECT_EQ(header->cluster_size(), 65536u);
    EXPECT_EQ(header->l1_size, 1u);
    EXPECT_EQ(header->header_length, 112u);
    EXPECT_FALSE(header->backing_file);
    EXPECT_FALSE(header->backing_format);
    EXPECT_FALSE(header->has_bitmaps);
}

TEST(Qcow2HeaderTest, AVersion2ImageHasTheFixedValuesOfItsVersion) {
    CreateOptions options = disk(kMiB, 4096, 2);
    options.backing_file = "base";
    options.backing_format = "raw";
    // Bytes behind the 72 of the header are no features in version 2.
    auto header = Image(options).parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->version, 2u);
    EXPECT_EQ(header->header_length, 72u);
    EXPECT_EQ(header->refcount_order, 4u);
    EXPECT_EQ(header->incompatible_features, 0u);
    EXPECT_EQ(header->backing_file, "base");
    EXPECT_EQ(header->backing_format, "raw");
}

TEST(Qcow2HeaderTest, AVersion2ImageWithoutExtensionsIsRead) {
    Image image(disk(kMiB, 65536, 2));
    image.poke(72, "base").poke64(field::kBackingFileOffset, 72).poke32(field::kBackingFileSize, 4);
    auto header = image.parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->backing_file, "base");
    EXPECT_FALSE(header->backing_format);
}

TEST(Qcow2HeaderTest, AHeaderWithoutAdditionalFieldsIsRead) {
    Image image = overlay();
    // 104 bytes: the extension area starts 8 bytes earlier.
    image.clear_extensions().poke32(field::kHeaderLength, 104).poke64(104, 0);
    image.poke64(field::kBackingFileOffset, 200).poke(200, "base.qcow2");
    auto header = image.parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->header_length, 104u);
    EXPECT_EQ(header->backing_file, "base.qcow2");
}

TEST(Qcow2HeaderTest, AUsualImageNeedsOneRead) {
    MemoryStore content(overlay().bytes());
    FaultStore file(content);
    ASSERT_TRUE(read_header(file));
    EXPECT_EQ(file.log().size(), 1u);
}

TEST(Qcow2HeaderTest, NoReadIsNeededForWhatIsAtHand) {
    const Image source = overlay();
    auto header = parse_header(std::span(source.bytes()).first(33280),
                               [](std::uint64_t, std::span<std::byte>) -> Result<std::size_t> {
                                   ADD_FAILURE() << "read although everything was there";
                                   return Error(ErrorKind::io, "unexpected");
                               });
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->backing_file, "base.qcow2");
}

TEST(Qcow2HeaderTest, ANameAtTheEndOfTheLargestClusterIsFetched) {
    Image source(disk(64 * kMiB, 2u << 20));
    const std::string name(1023, 'n');
    const std::size_t at = (2u << 20) - name.size();
    source.poke(at, name)
        .poke64(field::kBackingFileOffset, at)
        .poke32(field::kBackingFileSize, 1023);
    FaultStore file{MemoryStore(source.bytes())};
    auto header = parse_header(std::span(source.bytes()).first(33280), file);
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->backing_file, name);
    EXPECT_EQ(file.log().size(), 1u);
}

TEST(Qcow2HeaderTest, AnyAmountAtHandGivesTheSameAnswer) {
    const Image source = overlay();
    for (std::size_t at_hand = 0; at_hand < 700; ++at_hand) {
        MemoryStore file(source.bytes());
        auto header = parse_header(std::span(source.bytes()).first(at_hand), file);
        ASSERT_TRUE(header) << at_hand << ": " << header.error().message();
        EXPECT_EQ(header->backing_file, "base.qcow2");
        EXPECT_EQ(header->backing_format, "qcow2");
    }
}

TEST(Qcow2HeaderTest, ShortReadsAreContinued) {
    FaultStore file{MemoryStore(overlay().bytes())};
    file.faults().max_read = 7;
    auto header = read_header(file);
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->backing_file, "base.qcow2");
}

TEST(Qcow2HeaderTest, AFailedReadIsItsOwnError) {
    FaultStore file{MemoryStore(overlay().bytes())};
    file.faults().fail_call = 0;
    file.faults().error = Error(ErrorKind::not_connected, "no gluster");
    auto header = read_header(file);
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().kind(), ErrorKind::not_connected);
}

TEST(Qcow2HeaderTest, NamesAreGivenAsTheyStand) {
    Image source = overlay();
    source.poke32(field::kBackingFileSize, 5);
    auto plain = source.parse();
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->backing_file, "base.");
    const std::string odd = "\n\x01\xff%s";
    MemoryStore file(source.bytes());
    ASSERT_TRUE(file.write_at(plain->backing_file_offset,
                              std::as_bytes(std::span(odd.data(), odd.size()))));
    auto header = read_header(file);
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->backing_file, odd);
}

TEST(Qcow2HeaderTest, AnEmptyNameIsNoBase) {
    auto header = overlay().poke32(field::kBackingFileSize, 0).parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_FALSE(header->backing_file);
}

TEST(Qcow2HeaderTest, FeatureBitsAreRead) {
    auto header = image()
                      .poke64(field::kIncompatibleFeatures,
                              incompatible::kDirty | incompatible::kCorrupt |
                                  incompatible::kExternalDataFile | incompatible::kExtendedL2)
                      .poke64(field::kCompatibleFeatures, 1 | (std::uint64_t{1} << 40))
                      .poke64(field::kAutoclearFeatures, std::uint64_t{1} << 50)
                      .parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_TRUE(header->dirty());
    EXPECT_TRUE(header->corrupt());
    EXPECT_TRUE(header->has_external_data_file());
    EXPECT_TRUE(header->extended_l2());
    EXPECT_TRUE(header->lazy_refcounts());
    EXPECT_FALSE(header->external_data_is_raw());
    EXPECT_EQ(header->autoclear_features, std::uint64_t{1} << 50);
}

TEST(Qcow2HeaderTest, AnExternalDataFileIsNamed) {
    auto header = image()
                      .clear_extensions()
                      .extension(extension::kDataFileName, "data.raw")
                      .poke64(field::kIncompatibleFeatures, incompatible::kExternalDataFile)
                      .poke64(field::kAutoclearFeatures, autoclear::kRawExternalData)
                      .parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->external_data_file, "data.raw");
    EXPECT_TRUE(header->external_data_is_raw());
}

TEST(Qcow2HeaderTest, NamesAreFoundInAHeaderThatIsDamaged) {
    Image image = overlay();
    image.poke32(field::kClusterBits, 99).poke64(field::kIncompatibleFeatures, ~std::uint64_t{0});
    ASSERT_FALSE(image.parse());
    EXPECT_EQ(image.claimed().backing_file, "base.qcow2");
    EXPECT_TRUE(image.claimed().data_files.empty());

    // A name goes up to a NUL for a C program, and qemu takes one data file of several.
    image = Image(disk(64 * kMiB))
                .clear_extensions()
                .extension(extension::kBackingFormat, "raw")
                .extension(extension::kDataFileName, std::string_view("one\0more", 8))
                .extension(0x12345678, std::string(3, 'x'))
                .extension(extension::kDataFileName, "two")
                .extension(extension::kDataFileName, std::string(5000, 'n'))
                .extension(extension::kDataFileName, "three");
    EXPECT_EQ(image.claimed().data_files, (std::vector<std::string>{"one", "two", "", "three"}));
    // What is behind the damage cannot be found.
    image.poke32(116, 0xfffffff0);
    EXPECT_TRUE(image.claimed().data_files.empty());

    image = overlay();
    image.poke32(field::kBackingFileSize, 0xffffffff);
    EXPECT_FALSE(image.claimed().backing_file);
    image = overlay();
    image.poke64(field::kBackingFileOffset, ~std::uint64_t{0});
    EXPECT_FALSE(image.claimed().backing_file);
    image.cut(60);
    EXPECT_FALSE(image.claimed().backing_file);
}

TEST(Qcow2HeaderTest, CompressionAndEncryptionAreRead) {
    Image zstd = image();
    zstd.poke64(field::kIncompatibleFeatures, incompatible::kCompressionType)
        .poke(field::kCompressionType, "\x01");
    auto header = zstd.parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->compression_type, kCompressionZstd);

    header = image().poke32(field::kCryptMethod, kCryptAes).parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_TRUE(header->encrypted());

    header = image()
                 .clear_extensions()
                 .extension(extension::kEncryptionHeader, be({0x40000, 0x1000}))
                 .poke32(field::kCryptMethod, kCryptLuks)
                 .parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->crypt_method, kCryptLuks);
}

TEST(Qcow2HeaderTest, BitmapsCountOnlyWhileTheirBitIsSet) {
    const std::string good = be({std::uint64_t{2} << 32, 64, 0x50000});
    Image with = image().clear_extensions().extension(extension::kBitmaps, good);
    ASSERT_TRUE(with.parse());
    EXPECT_FALSE(with.parse()->has_bitmaps);
    with.poke64(field::kAutoclearFeatures, autoclear::kBitmaps);
    ASSERT_TRUE(with.parse()) << with.parse().error().message();
    EXPECT_TRUE(with.parse()->has_bitmaps);
    // What is not trusted need not be right.
    ASSERT_TRUE(image().clear_extensions().extension(extension::kBitmaps, "short").parse());
}

TEST(Qcow2HeaderTest, UnknownExtensionsAreSkipped) {
    auto header = image()
                      .clear_extensions()
                      .extension(0x12345678, "whatever this is")
                      .extension(0x12345678, "and again")
                      .extension(extension::kBackingFormat, "raw")
                      .parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_EQ(header->backing_format, "raw");
}

TEST(Qcow2HeaderTest, WhatIsBehindTheEndMarkIsIgnored) {
    auto header = image()
                      .clear_extensions()
                      .extension(extension::kEnd, "")
                      .extension(extension::kBackingFormat, "raw")
                      .parse();
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_FALSE(header->backing_format);
}

TEST(Qcow2HeaderTest, OtherFilesAreNotQcow2RatherThanDamaged) {
    for (std::string_view start : {"", "Q", "QFI", "QFI\xfa....", "KDMV",
                                   "\x7f"
                                   "ELF"}) {
        MemoryStore file(std::as_bytes(std::span(start.data(), start.size())));
        auto header = read_header(file);
        ASSERT_FALSE(header);
        EXPECT_EQ(header.error().kind(), ErrorKind::invalid) << header.error().message();
        EXPECT_NE(header.error().message().find("not a qcow2 image"), std::string::npos);
        EXPECT_FALSE(has_magic(file.bytes(0, start.size())));
        EXPECT_FALSE(version_number(file.bytes(0, start.size())));
    }
    EXPECT_TRUE(has_magic(image().bytes()));
    EXPECT_EQ(version_number(image().bytes()), 3u);
}

TEST(Qcow2HeaderTest, AFileCutInsideItsHeaderIsDamaged) {
    const Image whole = overlay();
    const std::uint64_t end = whole.parse()->backing_file_offset + 10;
    for (std::size_t length = 4; length < end; ++length) {
        auto header = Image(whole).cut(length).parse();
        ASSERT_FALSE(header) << length;
        EXPECT_EQ(header.error().kind(), ErrorKind::corrupt);
        EXPECT_NE(header.error().message().find("ends before byte"), std::string::npos)
            << header.error().message();
    }
    EXPECT_TRUE(Image(whole).cut(end).parse());
}

TEST(Qcow2HeaderTest, OtherVersionsAreUnsupported) {
    for (std::uint32_t version : {0u, 1u, 4u, 0xffffffffu}) {
        expect_error(image().poke32(field::kVersion, version), ErrorKind::unsupported,
                     {"version " + std::to_string(version)});
    }
    // An image of version 1 has a header of 48 bytes.
    expect_error(image().poke32(field::kVersion, 1).cut(48), ErrorKind::unsupported, {"version 1"});
}

TEST(Qcow2MalformedTest, ClusterBits) {
    for (std::uint32_t bits : {0u, 8u, 22u, 63u, 64u, 0xffffffffu})
        expect_corrupt(image().poke32(field::kClusterBits, bits),
                       {"cluster_bits is " + std::to_string(bits), "between 9 and 21"});
}

TEST(Qcow2MalformedTest, HeaderLength) {
    expect_corrupt(image().poke32(field::kHeaderLength, 0), {"header_length is 0", "104"});
    expect_corrupt(image().poke32(field::kHeaderLength, 103), {"header_length is 103"});
    expect_corrupt(image().poke32(field::kHeaderLength, 108), {"108", "multiple of 8"});
    expect_corrupt(image().poke32(field::kHeaderLength, 65544), {"65544", "more than a cluster"});
    expect_corrupt(image().poke32(field::kHeaderLength, 0xfffffff8), {"4294967288", "cluster"});
}

TEST(Qcow2MalformedTest, UnknownIncompatibleFeaturesAreUnsupported) {
    expect_error(image().poke64(field::kIncompatibleFeatures, std::uint64_t{1} << 5),
                 ErrorKind::unsupported, {"bit 5"});
    expect_error(image().poke64(field::kIncompatibleFeatures, ~std::uint64_t{0}),
                 ErrorKind::unsupported, {"bit 5, bit 6, bit 7, bit 8 and 55 more"});
}

TEST(Qcow2MalformedTest, AnUnknownFeatureIsCalledByTheNameInTheImage) {
    const std::string table =
        feature(1, 63, "compatible") + feature(0, 62, "other") + feature(0, 63, "zoned storage");
    expect_error(image()
                     .clear_extensions()
                     .extension(extension::kFeatureNameTable, table)
                     .poke64(field::kIncompatibleFeatures, std::uint64_t{1} << 63),
                 ErrorKind::unsupported, {"\"zoned storage\" (bit 63)"});
}

TEST(Qcow2MalformedTest, TheNameOfAFeatureIsEscapedAndBounded) {
    const std::string hostile = std::string("\x1b[31m\n\"\\\xff") + std::string(60, 'x');
    expect_error(image()
                     .clear_extensions()
                     .extension(extension::kFeatureNameTable, feature(0, 9, hostile.substr(0, 46)))
                     .poke64(field::kIncompatibleFeatures, 1u << 9),
                 ErrorKind::unsupported, {R"("\x1b[31m\x0a"\x5c\xffx)", "x\" (bit 9)"});
}

TEST(Qcow2MalformedTest, DamageInTheWayOfAFeatureNameDoesNotHideTheFeature) {
    expect_error(image()
                     .clear_extensions()
                     .extension(extension::kFeatureNameTable, feature(0, 9, "named"))
                     .extension(0x1234, "")
                     .poke32(112 + 8 + 48 + 4, 0xffffffff)
                     .poke64(field::kIncompatibleFeatures, 1u << 9),
                 ErrorKind::unsupported, {"\"named\""});
    expect_error(image()
                     .clear_extensions()
                     .extension(extension::kFeatureNameTable, "not an entry")
                     .poke64(field::kIncompatibleFeatures, 1u << 9),
                 ErrorKind::unsupported, {"bit 9"});
}

TEST(Qcow2MalformedTest, CompressionType) {
    expect_corrupt(image().poke(field::kCompressionType, "\x01"),
                   {"compression_type is 1", "not set"});
    expect_corrupt(image().poke64(field::kIncompatibleFeatures, incompatible::kCompressionType),
                   {"compression_type is 0", "is set"});
    expect_corrupt(image()
                       .poke64(field::kIncompatibleFeatures, incompatible::kCompressionType)
                       .poke(field::kCompressionType, "\x01")
                       .poke32(field::kHeaderLength, 104),
                   {"compression_type is 0"});
    expect_error(image()
                     .poke64(field::kIncompatibleFeatures, incompatible::kCompressionType)
                     .poke(field::kCompressionType, "\x02"),
                 ErrorKind::unsupported, {"compression type 2"});
}

TEST(Qcow2MalformedTest, ExtendedL2NeedsLargeClusters) {
    expect_corrupt(
        Image(disk(kMiB, 8192)).poke64(field::kIncompatibleFeatures, incompatible::kExtendedL2),
        {"cluster_bits is 13", "at least 14"});
}

TEST(Qcow2MalformedTest, RawExternalData) {
    expect_corrupt(image().poke64(field::kAutoclearFeatures, autoclear::kRawExternalData),
                   {"autoclear_features is 2", "without an external data file"});
    expect_corrupt(overlay()
                       .poke64(field::kAutoclearFeatures, autoclear::kRawExternalData)
                       .poke64(field::kIncompatibleFeatures, incompatible::kExternalDataFile),
                   {"backing_file_offset", "no backing file"});
}

TEST(Qcow2MalformedTest, RefcountOrder) {
    expect_corrupt(image().poke32(field::kRefcountOrder, 7), {"refcount_order is 7"});
    expect_corrupt(image().poke32(field::kRefcountOrder, 0xffffffff), {"4294967295"});
    EXPECT_TRUE(image().poke32(field::kRefcountOrder, 6).parse());
}

TEST(Qcow2MalformedTest, CryptMethod) {
    expect_error(image().poke32(field::kCryptMethod, 3), ErrorKind::unsupported,
                 {"encryption method 3"});
    expect_corrupt(image().poke32(field::kCryptMethod, kCryptLuks),
                   {"crypt_method is 2", "no LUKS header"});
    expect_corrupt(
        image().clear_extensions().extension(extension::kEncryptionHeader, be({0x40000, 1})),
        {"crypt_method is 0", "only LUKS"});
    expect_corrupt(image()
                       .clear_extensions()
                       .extension(extension::kEncryptionHeader, be({0x40000}))
                       .poke32(field::kCryptMethod, kCryptLuks),
                   {"8 bytes", "16"});
    expect_corrupt(image()
                       .clear_extensions()
                       .extension(extension::kEncryptionHeader, be({0x40001, 1}))
                       .poke32(field::kCryptMethod, kCryptLuks),
                   {"262145", "cluster boundary"});
}

TEST(Qcow2MalformedTest, RefcountTableClusters) {
    expect_corrupt(image().poke32(field::kRefcountTableClusters, 0),
                   {"refcount_table_clusters is 0"});
    expect_corrupt(image().poke32(field::kRefcountTableClusters, 129), {"is 129", "8 MiB"});
    expect_corrupt(image().poke32(field::kRefcountTableClusters, 0xffffffff), {"8 MiB"});
    EXPECT_TRUE(image().poke32(field::kRefcountTableClusters, 128).parse());
}

TEST(Qcow2MalformedTest, RefcountTableOffset) {
    expect_corrupt(image().poke64(field::kRefcountTableOffset, 0x1234567890abcdef),
                   {"refcount_table_offset is 1311768467294899695", "cluster boundary"});
    expect_corrupt(image().poke64(field::kRefcountTableOffset, 0xffffffffffff0000),
                   {"refcount_table_offset", "further than a file"});
    expect_corrupt(image().poke64(field::kRefcountTableOffset, 0x7fffffffffff0000),
                   {"refcount_table_offset", "further than a file"});
    expect_corrupt(image().poke64(field::kRefcountTableOffset, 0), {"where the header is"});
}

TEST(Qcow2MalformedTest, Snapshots) {
    expect_corrupt(image().poke32(field::kSnapshotCount, 65537), {"nb_snapshots is 65537"});
    expect_corrupt(image().poke32(field::kSnapshotCount, 0xffffffff), {"nb_snapshots"});
    expect_corrupt(image().poke64(field::kSnapshotsOffset, 0x1234567890abcdef),
                   {"snapshots_offset", "cluster boundary"});
    expect_corrupt(image()
                       .poke64(field::kSnapshotsOffset, 0xffffffffffff0000)
                       .poke32(field::kSnapshotCount, 0xffff),
                   {"snapshots_offset", "further than a file"});
    expect_corrupt(image().poke32(field::kSnapshotCount, 1), {"snapshots_offset is 0"});
}

TEST(Qcow2MalformedTest, L1Size) {
    expect_corrupt(image().poke32(field::kL1Size, 0xffffffff), {"l1_size is 4294967295", "32 MiB"});
    expect_corrupt(image().poke32(field::kL1Size, (4u << 20) + 1), {"l1_size is 4194305"});
    expect_corrupt(image().poke32(field::kL1Size, 0),
                   {"l1_size is 0", "67108864 bytes needs 1 entries"});
    EXPECT_TRUE(image().poke32(field::kL1Size, 4u << 20).parse());
}

TEST(Qcow2MalformedTest, L1TableOffset) {
    expect_corrupt(image().poke64(field::kL1TableOffset, 0x1234567890abcdef),
                   {"l1_table_offset", "cluster boundary"});
    expect_corrupt(
        image().poke64(field::kL1TableOffset, 0x7fffffffffff0000).poke32(field::kL1Size, 0xffff),
        {"l1_table_offset", "further than a file"});
    expect_corrupt(image().poke64(field::kL1TableOffset, 0), {"l1_table_offset is 0"});
}

TEST(Qcow2MalformedTest, VirtualSize) {
    for (std::uint64_t size : {~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{1} << 61})
        expect_corrupt(image().poke64(field::kSize, size), {"l1_size", std::to_string(size)});
}

TEST(Qcow2MalformedTest, BackingFileOffset) {
    expect_corrupt(overlay().poke64(field::kBackingFileOffset, 8),
                   {"backing_file_offset is 8", "inside the header"});
    expect_corrupt(overlay().poke64(field::kBackingFileOffset, 65537),
                   {"backing_file_offset is 65537", "behind the first cluster"});
    expect_corrupt(overlay().poke64(field::kBackingFileOffset, ~std::uint64_t{0}),
                   {"18446744073709551615"});
}

TEST(Qcow2MalformedTest, BackingFileSize) {
    expect_corrupt(overlay().poke32(field::kBackingFileSize, 1024),
                   {"backing_file_size is 1024", "1023"});
    expect_corrupt(overlay().poke32(field::kBackingFileSize, 0xffffffff), {"4294967295"});
    expect_corrupt(overlay().poke64(field::kBackingFileOffset, 65530),
                   {"backing_file_size is 10", "behind the first cluster"});
}

TEST(Qcow2MalformedTest, ANulInAName) {
    const std::uint64_t at = overlay().parse()->backing_file_offset;
    expect_corrupt(overlay().poke(at + 4, std::string_view("\0", 1)), {"backing file", "NUL"});
    expect_corrupt(image().clear_extensions().extension(extension::kBackingFormat,
                                                        std::string_view("ra\0w", 4)),
                   {"backing format", "NUL"});
}

TEST(Qcow2MalformedTest, ExtensionLength) {
    // As in qemu's iotest 080: with a base far away, near, and with none.
    Image huge = image().clear_extensions().extension(0x12345678, "").poke32(116, 0x7fffffff);
    expect_corrupt(huge, {"0x12345678", "2147483647 bytes"});
    expect_corrupt(Image(huge).poke64(field::kBackingFileOffset, 116), {"reaches beyond"});
    expect_corrupt(Image(huge).poke32(116, 0xffffffff), {"4294967295 bytes"});
    expect_corrupt(Image(huge).poke32(116, 65536 - 120 + 1), {"has only 65416 left"});
    EXPECT_TRUE(Image(huge).poke32(116, 65536 - 120).parse());
}

TEST(Qcow2MalformedTest, TooManyExtensions) {
    Image many = image().clear_extensions();
    for (int i = 0; i < 100; ++i) many.extension(0x12345678, "");
    expect_corrupt(many, {"more than 64 extensions"});
}

TEST(Qcow2MalformedTest, AKnownExtensionTwice) {
    expect_corrupt(image()
                       .clear_extensions()
                       .extension(extension::kBackingFormat, "raw")
                       .extension(extension::kBackingFormat, "qcow2"),
                   {"0xe2792aca", "twice"});
}

TEST(Qcow2MalformedTest, NamesThatAreTooLong) {
    expect_corrupt(
        image().clear_extensions().extension(extension::kBackingFormat, "sixteen-letters!"),
        {"backing format", "16 bytes"});
    expect_corrupt(
        image().clear_extensions().extension(extension::kDataFileName, std::string(1024, 'n')),
        {"external data file name", "1024 bytes"});
}

TEST(Qcow2MalformedTest, Bitmaps) {
    const auto with = [](std::string_view data) {
        return image()
            .clear_extensions()
            .extension(extension::kBitmaps, data)
            .poke64(field::kAutoclearFeatures, autoclear::kBitmaps);
    };
    expect_corrupt(image().poke64(field::kAutoclearFeatures, autoclear::kBitmaps),
                   {"no bitmaps extension"});
    expect_corrupt(with("short"), {"24 bytes"});
    expect_corrupt(with(be({0, 64, 0x50000})), {"nb_bitmaps is 0"});
    expect_corrupt(with(be({std::uint64_t{65536} << 32, 64, 0x50000})), {"nb_bitmaps is 65536"});
    expect_corrupt(with(be({(std::uint64_t{1} << 32) + 7, 64, 0x50000})), {"reserved is 7"});
    expect_corrupt(with(be({std::uint64_t{1} << 32, ~std::uint64_t{0}, 0x50000})),
                   {"bitmap_directory_size"});
    expect_corrupt(with(be({std::uint64_t{1} << 32, 64, 0x50001})),
                   {"bitmap_directory_offset is 327681"});
}

TEST(Qcow2MalformedTest, NoRandomDamageIsTakenForAnotherFileOrRunsWild) {
    std::mt19937 random(20240608);
    const Image whole = overlay();
    for (int round = 0; round < 20000; ++round) {
        Image damaged = whole;
        for (unsigned pokes = 1 + random() % 4; pokes > 0; --pokes) {
            const char value = static_cast<char>(random());
            damaged.poke(4 + random() % 600, std::string_view(&value, 1));
        }
        FaultStore file{MemoryStore(std::span(damaged.bytes()).first(1024))};
        auto header = read_header(file);
        EXPECT_LT(file.log().size(), 200u);
        if (header) {
            EXPECT_LE(header->cluster_bits, 21u);
            EXPECT_LE(header->virtual_size, std::uint64_t{1} << 61);
        } else {
            EXPECT_NE(header.error().kind(), ErrorKind::invalid);
            EXPECT_LT(header.error().message().size(), 1200u);
        }
    }
}

}  // namespace sfg::qcow2
