// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/images/inspect.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "driver/qcow2/create.hpp"
#include "tests/support/memory_store.hpp"

namespace sfg {
namespace {

ImageInfo inspect(test::MemoryStore& store, std::uint64_t extra_length = 0) {
    std::vector<std::byte> start(kHeaderBytes);
    const auto length = store.read_at(0, start);
    return inspect_bytes(std::span(start).first(*length), *store.size() + extra_length,
                         [&](std::uint64_t offset, std::span<std::byte> buffer) {
                             return store.read_at(offset, buffer);
                         });
}

void say_vmdk(std::span<const std::byte>, ImageInfo& info) {
    info.format = "vmdk";
    info.capacity = 4096;
    info.backing = "somewhere";
}

TEST(Inspecting, AQcow2TellsItsHeader) {
    test::MemoryStore store;
    qcow2::CreateOptions options;
    options.virtual_size = 1 << 30;
    options.cluster_size = 131072;
    options.extended_l2 = true;
    options.backing_file = "../base";
    options.backing_format = "raw";
    ASSERT_TRUE(qcow2::create(store, options));
    const ImageInfo info = inspect(store);
    EXPECT_EQ(info.format, "qcow2");
    EXPECT_EQ(info.capacity, 1u << 30);
    EXPECT_EQ(info.cluster_size, 131072u);
    EXPECT_EQ(info.compat, "1.1");
    EXPECT_TRUE(info.extended_l2);
    EXPECT_FALSE(info.lazy_refcounts);
    EXPECT_EQ(info.backing, "../base");
    EXPECT_EQ(info.backing_format, "raw");
    EXPECT_EQ(info.damage, "");
    EXPECT_FALSE(info.unpadded);
    EXPECT_TRUE(inspect(store, 100).unpadded);
}

TEST(Inspecting, BytesWithoutAFormatAreRaw) {
    test::MemoryStore store;
    ASSERT_TRUE(store.resize(12345));
    const ImageInfo info = inspect(store);
    EXPECT_EQ(info.format, "raw");
    EXPECT_EQ(info.capacity, 12345u);
    EXPECT_FALSE(info.backing);
}

TEST(Inspecting, OtherFormatsAreTheProbersToTell) {
    test::MemoryStore store;
    ASSERT_TRUE(store.resize(100));
    set_prober(&say_vmdk);
    const ImageInfo info = inspect(store);
    set_prober(nullptr);
    EXPECT_EQ(info.format, "vmdk");
    EXPECT_EQ(info.capacity, 4096u);
    EXPECT_EQ(info.backing, "somewhere");
}

TEST(Inspecting, ADamagedQcow2IsListedAndItsBaseNotBelieved) {
    test::MemoryStore store;
    qcow2::CreateOptions options;
    options.virtual_size = 1 << 20;
    options.backing_file = "/etc/shadow";
    options.backing_format = "raw";
    ASSERT_TRUE(qcow2::create(store, options));
    const std::byte cluster_bits[4] = {{}, {}, {}, std::byte{99}};
    ASSERT_TRUE(store.write_at(20, cluster_bits));
    set_prober(&say_vmdk);
    const ImageInfo info = inspect(store);
    set_prober(nullptr);
    EXPECT_EQ(info.format, "qcow2");
    EXPECT_NE(info.damage, "");
    EXPECT_FALSE(info.backing);
    EXPECT_EQ(info.claimed_backing, "/etc/shadow");
}

ImageInfo inspect_text(const std::string& text) {
    test::MemoryStore store;
    const auto bytes = std::as_bytes(std::span(text));
    EXPECT_TRUE(store.write_at(0, bytes));
    return inspect(store);
}

using Names = std::vector<std::string>;

// An image whose one header extension names a data file.
test::MemoryStore with_data_file(const std::string& name, std::uint64_t incompatible) {
    test::MemoryStore store;
    qcow2::CreateOptions options;
    options.virtual_size = 1 << 20;
    EXPECT_TRUE(qcow2::create(store, options));
    std::string extension = "DATA";
    extension += std::string(3, '\0') + static_cast<char>(name.size()) + name;
    extension.resize((extension.size() + 7) / 8 * 8 + 8);
    std::array<std::byte, 4> length;
    EXPECT_TRUE(store.read_at(100, length));
    const auto at = std::to_integer<std::uint64_t>(length[3]);
    EXPECT_TRUE(store.write_at(at, std::as_bytes(std::span(extension))));
    const std::byte bits[1] = {static_cast<std::byte>(incompatible)};
    EXPECT_TRUE(store.write_at(79, bits));
    return store;
}

TEST(Inspecting, AQcow2NamesItsDataFile) {
    auto store = with_data_file("../data", 4);
    ImageInfo info = inspect(store);
    EXPECT_EQ(info.damage, "");
    EXPECT_TRUE(info.external_data);
    EXPECT_EQ(info.data_files, Names{"../data"});
    // Without the bit that says so it is not that image's data, until somebody sets the bit.
    store = with_data_file("../data", 0);
    info = inspect(store);
    EXPECT_FALSE(info.external_data);
    EXPECT_EQ(info.data_files, Names{"../data"});
}

TEST(Inspecting, AQcow2ThatIsNotUnderstoodKeepsItsDataFile) {
    for (const bool damaged : {false, true}) {
        auto store = with_data_file("../data", damaged ? 4 : 0x80 | 4);
        if (damaged) {
            EXPECT_TRUE(store.write_at(20, std::array{std::byte{0xff}}));
        }
        const ImageInfo info = inspect(store);
        EXPECT_NE(info.damage, "");
        EXPECT_EQ(info.data_files, Names{"../data"}) << info.damage;
        EXPECT_FALSE(info.claimed_backing);
    }
}

TEST(Inspecting, AQcow2OfAVersionToComeKeepsItsNames) {
    auto store = with_data_file("../data", 4);
    ASSERT_TRUE(store.write_at(7, std::array{std::byte{4}}));
    ASSERT_TRUE(store.write_at(14, std::array{std::byte{2}}));
    ASSERT_TRUE(store.write_at(19, std::array{std::byte{4}}));
    ASSERT_TRUE(store.write_at(512, std::as_bytes(std::span("base"))));
    const ImageInfo info = inspect(store);
    EXPECT_EQ(info.format, "raw");
    EXPECT_EQ(info.data_files, Names{"../data"});
    EXPECT_EQ(info.claimed_backing, "base");
}

TEST(Inspecting, AVmdkDescriptorNamesItsExtents) {
    const std::string head = "# Disk DescriptorFile\nversion=1\nCID=fffffffe\n";
    const std::vector<std::pair<std::string, Names>> rows = {
        {head + "createType=\"monolithicFlat\"\n\nRW 4192256 FLAT \"x-flat.vmdk\" 0\n",
         {"x-flat.vmdk"}},
        {"#\r\n \r\nversion=3\r\nRW 4192256 SPARSE \"a-s001.vmdk\"\r\n"
         "RW 4192256 SPARSE \"../a-s002.vmdk\"\r\nRW 1 SPARSE \"a-s001.vmdk\"\r\n",
         {"a-s001.vmdk", "../a-s002.vmdk"}},
        {head + "parentFileNameHint=\"base\"\nRDONLY 8 VMFS \"/srv/b\"", {"base", "/srv/b"}},
        // As sscanf takes it.
        {head + "  RW\n\t8 FLAT\n\"b\" 0", {"b"}},
        {head + "RW 8FLAT \"b\"x", {"b"}},
        {head + "RW 8 FLAT \"b", {"b"}},
        {head + "RW 8 FLAT \"" + std::string(600, 'n') + "\"", {std::string(511, 'n')}},
        {head + std::string(40000, '\n') + "RW 8 FLAT \"far\" 0", {"far"}},
        {head + "NOACCESS 8 FLAT \"b\"\nRW FLAT \"b\"\nRW 8 FLAT b\nRW 8 FLAT \"\"\n", {}},
        {head + std::string(1, '\0') + "\nRW 8 FLAT \"b\" 0", {}},
        {"version=1", {}},
        {"RW 8 FLAT \"b\" 0\nversion=1\n", {}},
        {"", {}},
    };
    for (const auto& [text, names] : rows) {
        const ImageInfo info = inspect_text(text);
        EXPECT_EQ(info.data_files, names) << text.substr(0, 100);
        EXPECT_EQ(info.format, "raw");  // as libvirt has it
    }
    EXPECT_TRUE(inspect_text(head + std::string(1 << 20, '\n')).data_files.empty());
    std::string many = head;
    for (int i = 0; i < 3000; ++i) many += "RW 1 FLAT \"" + std::to_string(i) + "\" 0\n";
    const ImageInfo info = inspect_text(many);
    ASSERT_EQ(info.data_files.size(), 513u);
    EXPECT_EQ(info.data_files.back(), "");
}

TEST(Inspecting, AVmdkWithoutDataOfItsOwnNamesItsExtents) {
    std::string image(1024, '\0');
    image.replace(0, 4, "KDMV");
    image[28] = 1;  // the descriptor's sector
    image.replace(512, 30, "version=1\nRW 8 FLAT \"there\" 0");
    EXPECT_EQ(inspect_text(image).data_files, Names{"there"});
    image[12] = 8;  // the capacity of a file that has its data
    EXPECT_TRUE(inspect_text(image).data_files.empty());
    image[12] = 0;
    image.replace(28, 8, std::string(8, '\xff'));
    EXPECT_TRUE(inspect_text(image).data_files.empty());
    EXPECT_TRUE(inspect_text("KDMV").data_files.empty());
}

TEST(Inspecting, WhatWasNotMadeAsQcow2HasNoBase) {
    ImageInfo seen;
    seen.format = "qcow2";
    seen.capacity = 1 << 30;
    seen.backing = "secret";
    seen.data_files = {"data"};
    EXPECT_EQ(as_recorded(seen, "qcow2", 4096).backing, "secret");
    for (const char* recorded : {"raw", "iso", "vmdk", "", "a new one"}) {
        const ImageInfo info = as_recorded(seen, recorded, 4096);
        EXPECT_EQ(info.format, std::string(recorded) == "iso" ? "iso" : "raw") << recorded;
        EXPECT_EQ(info.capacity, 4096u);
        EXPECT_FALSE(names_further_files(info)) << recorded;
    }
    seen.format = "vmdk";
    const ImageInfo still = as_recorded(seen, "vmdk", 4096);
    EXPECT_EQ(still.format, "vmdk");
    EXPECT_EQ(still.capacity, 1u << 30);
    EXPECT_FALSE(still.backing);
    EXPECT_EQ(still.claimed_backing, "secret");
    EXPECT_EQ(still.data_files, Names{"data"});
}

}  // namespace
}  // namespace sfg
