// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/images/inspect.hpp"

#include <gtest/gtest.h>

#include <cstring>

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
}

}  // namespace
}  // namespace sfg
