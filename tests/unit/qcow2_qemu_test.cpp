// SPDX-License-Identifier: LGPL-2.1-or-later
// qemu-img and qemu-io as judges of the images that create() makes: what they report must be what
// they report of an image that qemu-img made with the same options.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "driver/core/local_file.hpp"
#include "driver/qcow2/create.hpp"
#include "driver/qcow2/header.hpp"
#include "tests/support/command.hpp"

namespace sfg::qcow2 {

namespace {

using Preallocation = CreateOptions::Preallocation;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

std::string preallocation_name(Preallocation preallocation) {
    switch (preallocation) {
        case Preallocation::off:
            return "off";
        case Preallocation::metadata:
            return "metadata";
        case Preallocation::falloc:
            return "falloc";
        case Preallocation::full:
            return "full";
    }
    return "?";
}

std::string qemu_options(const CreateOptions& options) {
    std::string out = "cluster_size=" + std::to_string(options.cluster_size);
    out += options.version == 2 ? ",compat=0.10" : ",compat=1.1";
    if (options.lazy_refcounts) out += ",lazy_refcounts=on";
    if (options.extended_l2) out += ",extended_l2=on";
    return out + ",preallocation=" + preallocation_name(options.preallocation);
}

// A directory for ours and one for qemu's, so that both images have the same name in what
// qemu-img says about them.
class Qcow2QemuTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(test::shell("qemu-img --version").status, 0)
            << "qemu-img is needed for this test and missing: install qemu-utils";
        ASSERT_EQ(test::shell("qemu-io --version").status, 0)
            << "qemu-io is needed for this test and missing: install qemu-utils";
        directory_ = ::testing::TempDir() + "sfg-qcow2-XXXXXX";
        ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
        for (const char* side : {"ours", "qemu"}) {
            std::filesystem::create_directory(directory_ + "/" + side);
            const std::string made = in(side,
                                        "qemu-img create -q -f raw base 3M && "
                                        "qemu-io -f raw -c 'write -q -P 0x5a 0 3M' base");
            ASSERT_EQ(made, "");
        }
    }

    void TearDown() override { std::filesystem::remove_all(directory_); }

    // Runs a command in one of the directories; a failure is part of the text.
    std::string in(const std::string& side, const std::string& command) {
        const test::Ran ran =
            test::shell("cd " + test::quoted(directory_ + "/" + side) + " && " + command);
        if (ran.ok()) return ran.output;
        return ran.output + "\nexit status " + std::to_string(ran.status) + " of " + command;
    }

    void make_ours(const CreateOptions& options) {
        const std::string path = directory_ + "/ours/image";
        std::filesystem::remove(path);
        auto file = LocalFile::open(path, LocalFile::Mode::read_write);
        ASSERT_TRUE(file) << file.error().message();
        auto created = create(**file, options);
        ASSERT_TRUE(created) << created.error().message();
        ASSERT_TRUE((*file)->close());
        EXPECT_EQ(std::filesystem::file_size(path) % options.cluster_size, 0u);
    }

    void make_qemus(const CreateOptions& options) {
        std::string command =
            "rm -f image; qemu-img create -q -f qcow2 -o " + qemu_options(options);
        if (options.backing_file) command += " -u -b '" + *options.backing_file + "'";
        if (options.backing_format) command += " -F " + *options.backing_format;
        ASSERT_EQ(in("qemu", command + " image " + std::to_string(options.virtual_size)), "");
    }

    void expect_check_clean() {
        const std::string checked = in("ours", "qemu-img check -f qcow2 image");
        EXPECT_NE(checked.find("No errors were found"), std::string::npos) << checked;
        EXPECT_EQ(checked.find("leak"), std::string::npos) << checked;
        EXPECT_EQ(checked.find("exit status"), std::string::npos) << checked;
    }

    // All that qemu-img tells of the image but how much of the disk it takes, and, since qemu 8,
    // what it tells of the file: ours is a whole number of clusters long.
    std::string info(const std::string& side) {
        return in(side,
                  "qemu-img info -f qcow2 --output=json image | "
                  "sed -e '/^    \"children\": \\[/,/^    \\],/d' -e /actual-size/d");
    }

    void expect_same_info() {
        const std::string of_qemu = info("qemu");
        EXPECT_NE(of_qemu.find("virtual-size"), std::string::npos) << of_qemu;
        EXPECT_EQ(info("ours"), of_qemu);
    }

    void expect_same(const CreateOptions& options) {
        SCOPED_TRACE("size " + std::to_string(options.virtual_size) + ", " + qemu_options(options) +
                     (options.backing_file ? ", base" : ""));
        make_ours(options);
        make_qemus(options);
        if (HasFatalFailure()) return;
        expect_check_clean();
        expect_same_info();
    }

    std::string directory_;
};

CreateOptions disk(std::uint64_t size, std::uint32_t cluster_size = 65536, int version = 3) {
    CreateOptions options;
    options.virtual_size = size;
    options.cluster_size = cluster_size;
    options.version = version;
    return options;
}

}  // namespace

TEST_F(Qcow2QemuTest, EveryClusterSizeAndSizeIsWhatQemuMakes) {
    std::mt19937_64 random(20240609);
    for (std::uint32_t cluster_size = 512; cluster_size <= 2 * kMiB; cluster_size *= 2) {
        const std::uint64_t largest = max_virtual_size(cluster_size, false);
        int version = 2;
        for (std::uint64_t size :
             {std::uint64_t{0}, std::uint64_t{512}, std::uint64_t{cluster_size} - 512,
              std::uint64_t{cluster_size} + 512, kGiB, 10 * kGiB + 512,
              random() % (largest / 64) / 512 * 512}) {
            version = version == 2 ? 3 : 2;
            expect_same(disk(size, cluster_size, version));
        }
        // Tables of 32 MiB take their time.
        if (cluster_size == 512 || cluster_size == 65536 || cluster_size == 2 * kMiB)
            expect_same(disk(largest, cluster_size, version));
    }
}

TEST_F(Qcow2QemuTest, EveryMixOfOptionsIsWhatQemuMakes) {
    for (std::uint32_t cluster_size : {512u, 4096u, 8192u, 16384u, 65536u, 2u << 20}) {
        for (int choice = 0; choice < 16; ++choice) {
            CreateOptions options = disk(3 * kMiB, cluster_size, choice & 1 ? 3 : 2);
            options.lazy_refcounts = (choice & 2) != 0;
            options.extended_l2 = (choice & 4) != 0;
            if ((choice & 8) != 0) {
                options.backing_file = "base";
                options.backing_format = "raw";
            }
            if (check_options(options)) expect_same(options);
        }
    }
}

TEST_F(Qcow2QemuTest, WhatIsRefusedHereQemuRefusesToo) {
    std::vector<CreateOptions> refused = {disk(kMiB, 256), disk(kMiB, 4u << 20), disk(kMiB, 65537)};
    refused.push_back(disk(max_virtual_size(65536, false) + 512));
    refused.push_back(disk(max_virtual_size(512, false) + 512, 512));
    refused.push_back(disk(kMiB, 65536, 2));
    refused.back().lazy_refcounts = true;
    refused.push_back(disk(kMiB, 65536, 2));
    refused.back().extended_l2 = true;
    refused.push_back(disk(kMiB, 8192));
    refused.back().extended_l2 = true;
    refused.push_back(disk(kMiB));
    refused.back().backing_file = std::string(1024, 'n');
    refused.push_back(disk(kMiB));
    refused.back().backing_file = "base";
    refused.back().backing_format = "raw";
    refused.back().preallocation = Preallocation::metadata;
    for (const CreateOptions& options : refused) {
        EXPECT_FALSE(check_options(options)) << qemu_options(options);
        std::string command =
            "rm -f image; qemu-img create -q -f qcow2 -o " + qemu_options(options);
        if (options.backing_file) command += " -u -b '" + *options.backing_file + "' -F raw";
        EXPECT_NE(in("qemu", command + " image " + std::to_string(options.virtual_size)), "")
            << qemu_options(options);
    }
}

TEST_F(Qcow2QemuTest, PreallocationIsWhatQemuMakes) {
    for (auto preallocation :
         {Preallocation::metadata, Preallocation::falloc, Preallocation::full}) {
        for (std::uint32_t cluster_size : {512u, 4096u, 65536u, 2u << 20}) {
            for (bool extended_l2 : {false, true}) {
                for (std::uint64_t size : {std::uint64_t{0}, std::uint64_t{512}, 3 * kMiB + 512}) {
                    CreateOptions options = disk(size, cluster_size);
                    options.extended_l2 = extended_l2;
                    options.preallocation = preallocation;
                    if (!check_options(options)) continue;
                    expect_same(options);
                    EXPECT_EQ(in("ours", "qemu-img compare image ../qemu/image"),
                              "Images are identical.\n");
                    // Where clusters lie, and which of them the host keeps as holes, is each
                    // writer's own; that all are there is not.
                    const std::string map =
                        "qemu-img map --output=json image | grep -o '\"depth.*present[^,]*' | "
                        "sort -u";
                    EXPECT_EQ(in("ours", map), in("qemu", map));
                }
            }
        }
    }
}

TEST_F(Qcow2QemuTest, FallocAndFullTakeTheSpaceAndMetadataDoesNot) {
    for (auto preallocation :
         {Preallocation::metadata, Preallocation::falloc, Preallocation::full}) {
        CreateOptions options = disk(8 * kMiB);
        options.preallocation = preallocation;
        make_ours(options);
        const std::string blocks = in("ours", "stat -c %b image");
        if (preallocation == Preallocation::metadata) {
            EXPECT_LT(std::stoull(blocks) * 512, 2 * kMiB);
        } else {
            EXPECT_GE(std::stoull(blocks) * 512, 8 * kMiB);
        }
    }
}

TEST_F(Qcow2QemuTest, APreallocatedOverlayShowsItsBase) {
    for (auto preallocation :
         {Preallocation::metadata, Preallocation::falloc, Preallocation::full}) {
        CreateOptions options = disk(4 * kMiB);
        options.extended_l2 = true;
        options.preallocation = preallocation;
        options.backing_file = "base";
        options.backing_format = "raw";
        expect_same(options);
        const std::string read = in("ours",
                                    "qemu-io -f qcow2 -c 'read -P 0x5a 0 3M' "
                                    "-c 'read -P 0 3M 1M' image");
        EXPECT_EQ(read.find("verification failed"), std::string::npos) << read;
        EXPECT_EQ(read.find("exit status"), std::string::npos) << read;
    }
}

TEST_F(Qcow2QemuTest, WhatAGuestWritesIsReadBackAndTheImageStaysClean) {
    for (std::uint32_t cluster_size : {512u, 16384u, 65536u, 2u << 20}) {
        for (int choice = 0; choice < 8; ++choice) {
            CreateOptions options = disk(200 * kMiB, cluster_size, choice & 1 ? 3 : 2);
            options.extended_l2 = (choice & 2) != 0;
            if ((choice & 4) != 0) {
                options.backing_file = "base";
                options.backing_format = "raw";
            } else {
                options.preallocation = Preallocation::metadata;
            }
            if (!check_options(options)) continue;
            SCOPED_TRACE(qemu_options(options));
            make_ours(options);
            const std::string wrote = in("ours",
                                         "qemu-io -f qcow2 -c 'write -q -P 0x11 1M 5000' "
                                         "-c 'write -q -P 0x22 104857088 1M' "
                                         "-c 'write -q -P 0x33 199M 1M' image");
            EXPECT_EQ(wrote, "");
            const std::string read =
                in("ours",
                   "qemu-io -f qcow2 -c 'read -q -P 0x11 1M 5000' "
                   "-c 'read -q -P 0x22 104857088 1M' -c 'read -q -P 0x33 199M 1M' "
                   "-c 'read -q -P 0 150M 1M' image");
            EXPECT_EQ(read, "");
            expect_check_clean();
        }
    }
}

// 512-byte clusters with an L1 table of 32 MiB: hundreds of refcount blocks.
TEST_F(Qcow2QemuTest, TheLargestTablesStayCleanWhenWrittenTo) {
    for (std::uint32_t cluster_size : {512u, 2u << 20}) {
        const std::uint64_t largest = max_virtual_size(cluster_size, false);
        make_ours(disk(largest, cluster_size));
        const std::string wrote =
            in("ours", "qemu-io -f qcow2 -c 'write -q -P 0x11 " + std::to_string(largest - kMiB) +
                           " 1M' -c 'write -q -P 0x22 0 1M' image");
        EXPECT_EQ(wrote, "");
        expect_check_clean();
    }
}

TEST_F(Qcow2QemuTest, ImagesOfQemuAreRead) {
    for (const char* options :
         {"compat=0.10", "compat=1.1", "cluster_size=512", "cluster_size=2M", "extended_l2=on",
          "refcount_bits=1", "refcount_bits=64", "lazy_refcounts=on", "compression_type=zstd",
          "preallocation=full", "data_file=data,data_file_raw=on",
          "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10"}) {
        SCOPED_TRACE(options);
        ASSERT_EQ(in("qemu", test::luks_command("rm -f image; qemu-img create -q --object "
                                                "secret,id=s,data=0123456789 -f qcow2 -o " +
                                                std::string(options) + " image 5M")),
                  "");
        auto file = LocalFile::open(directory_ + "/qemu/image", LocalFile::Mode::read_only);
        ASSERT_TRUE(file) << file.error().message();
        auto header = read_header(**file);
        ASSERT_TRUE(header) << header.error().message();
        EXPECT_EQ(header->virtual_size, 5 * kMiB);
        const std::string words = options;
        EXPECT_EQ(header->version, words == "compat=0.10" ? 2u : 3u);
        EXPECT_EQ(header->encrypted(), words.starts_with("encrypt"));
        EXPECT_EQ(header->has_external_data_file(), words.starts_with("data_file"));
        EXPECT_EQ(header->external_data_is_raw(), words.starts_with("data_file"));
        EXPECT_EQ(header->extended_l2(), words == "extended_l2=on");
        EXPECT_EQ(header->compression_type, words == "compression_type=zstd" ? 1 : 0);
        if (words.starts_with("data_file")) {
            EXPECT_EQ(header->external_data_file, "data");
        }
    }
}

TEST_F(Qcow2QemuTest, BitmapsAndSnapshotsOfQemuAreRead) {
    ASSERT_EQ(in("qemu",
                 "qemu-img create -q -f qcow2 image 5M && "
                 "qemu-img bitmap --add image one && qemu-img snapshot -c two image"),
              "");
    auto file = LocalFile::open(directory_ + "/qemu/image", LocalFile::Mode::read_only);
    ASSERT_TRUE(file) << file.error().message();
    auto header = read_header(**file);
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_TRUE(header->has_bitmaps);
    EXPECT_EQ(header->snapshot_count, 1u);
}

}  // namespace sfg::qcow2
