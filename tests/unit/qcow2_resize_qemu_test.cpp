// SPDX-License-Identifier: LGPL-2.1-or-later
// Images that qemu made and wrote to, changed here: qemu-img check must find them clean, and qemu
// must read from them what it wrote.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "driver/core/local_file.hpp"
#include "driver/qcow2/header.hpp"
#include "driver/qcow2/preallocate.hpp"
#include "driver/qcow2/resize.hpp"
#include "driver/qcow2/rewrite_header.hpp"
#include "tests/support/command.hpp"
#include "tests/support/qcow2_builder.hpp"
#include "tests/support/qcow2_checker.hpp"

namespace sfg::qcow2 {

namespace {

using Preallocation = CreateOptions::Preallocation;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

class Qcow2ResizeQemuTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(test::run({"qemu-img", "--version"}).ok() &&
                    test::run({"qemu-io", "--version"}).ok())
            << "qemu-img and qemu-io are needed for this test and missing: install qemu-utils";
        directory_ = ::testing::TempDir() + "sfg-qcow2-XXXXXX";
        ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    }

    void TearDown() override { std::filesystem::remove_all(directory_); }

    // Runs a command in the directory; "" when it succeeds silently.
    std::string in(const std::string& command) {
        const test::Ran ran = test::shell("cd " + test::quoted(directory_) + " && " + command);
        if (ran.ok()) return ran.output;
        return ran.output + "\nexit status " + std::to_string(ran.status) + " of " + command;
    }

    // A disk of 8 MiB with data, data that is compressed, and zeros, and the same as raw.
    void make(const std::string& options) {
        const bool compressed = options.find("extended_l2") == std::string::npos;
        const std::string length = options == "cluster_size=2M" ? "2M" : "256k";
        const std::string data =
            "qemu-io -t unsafe -f qcow2 " +
            (compressed ? "-c 'write -q -c -P 0x33 4M " + length + "' " : std::string()) +
            "-c 'write -q -P 0x11 0 1000k' -c 'write -q -P 0x22 3000k 700000' "
            "-c 'write -q -z 5M 300k' -c 'write -q -P 0x44 7M 64k' image";
        ASSERT_EQ(in("rm -f image && qemu-img create -q -f qcow2 -o " + options + " image 8M && " +
                     data + " && qemu-img convert -f qcow2 -O raw image image.raw"),
                  "");
    }

    template <typename Change>
    void change(Change body) {
        auto file = LocalFile::open(directory_ + "/image", LocalFile::Mode::read_write);
        ASSERT_TRUE(file) << file.error().message();
        auto done = body(**file);
        ASSERT_TRUE(done) << done.error().message();
        ASSERT_TRUE((*file)->close());
    }

    void resize_to(std::uint64_t size) {
        ResizeOptions options;
        options.virtual_size = size;
        options.allow_shrink = true;
        change([&](ByteSource& file) { return resize(file, options); });
    }

    void preallocate_as(Preallocation mode) {
        change([&](ByteSource& file) { return preallocate(file, mode); });
    }

    void expect_clean() {
        const std::string checked = in("qemu-img check -f qcow2 image");
        EXPECT_EQ(checked.find("exit status"), std::string::npos) << checked;
        EXPECT_NE(checked.find("No errors were found"), std::string::npos) << checked;
        auto file = LocalFile::open(directory_ + "/image", LocalFile::Mode::read_only);
        ASSERT_TRUE(file);
        EXPECT_EQ(test::check_qcow2(**file), "");
    }

    // The image is `size` bytes of what was written first.
    void expect_same_data(std::uint64_t size) {
        ASSERT_EQ(in("truncate -s " + std::to_string(size) + " image.raw"), "");
        const std::string info = in("qemu-img info --output=json -f qcow2 image");
        EXPECT_NE(info.find("\"virtual-size\": " + std::to_string(size) + ","), std::string::npos)
            << info;
        EXPECT_EQ(in("qemu-img compare -f qcow2 -F raw image image.raw"),
                  "Images are identical.\n");
    }

    std::string directory_;
};

}  // namespace

TEST_F(Qcow2ResizeQemuTest, ImagesOfQemuGrowArePreallocatedAndShrink) {
    for (const char* options :
         {"compat=0.10", "compat=1.1", "cluster_size=512", "cluster_size=4096", "cluster_size=2M",
          "extended_l2=on", "refcount_bits=1", "refcount_bits=64",
          "cluster_size=512,refcount_bits=64", "lazy_refcounts=on", "compression_type=zstd"}) {
        SCOPED_TRACE(options);
        make(options);
        resize_to(12 * kMiB + 512);
        expect_clean();
        expect_same_data(12 * kMiB + 512);
        resize_to(8 * kMiB);
        expect_clean();
        preallocate_as(Preallocation::metadata);
        expect_clean();
        expect_same_data(8 * kMiB);
        resize_to(10 * kMiB);
        preallocate_as(Preallocation::falloc);
        expect_clean();
        expect_same_data(10 * kMiB);
        if (HasFailure()) return;
    }
}

TEST_F(Qcow2ResizeQemuTest, QemuGoesOnWithAnImageThatGrewLarge) {
    for (const char* options : {"cluster_size=512", "cluster_size=4096,refcount_bits=8",
                                "cluster_size=64k", "cluster_size=2M", "extended_l2=on"}) {
        SCOPED_TRACE(options);
        make(options);
        const std::uint64_t size = max_virtual_size(512, false);
        resize_to(size);
        expect_clean();
        const std::string last = std::to_string(size - kMiB);
        EXPECT_EQ(
            in("qemu-io -t unsafe -f qcow2 -c 'read -q -P 0 " + last +
               " 1M' -c 'write -q -P 0x55 " + last + " 1M' -c 'write -q -P 0x66 0 64k' image"),
            "");
        EXPECT_EQ(in("qemu-io -t unsafe -f qcow2 -c 'read -q -P 0x55 " + last +
                     " 1M' -c 'read -q -P 0x66 0 64k' -c 'read -q -P 0x22 3000k 700000' image"),
                  "");
        expect_clean();
        if (HasFailure()) return;
    }
}

TEST_F(Qcow2ResizeQemuTest, InternalSnapshotsKeepWhatTheyHold) {
    for (const char* options : {"cluster_size=512", "compat=1.1"}) {
        SCOPED_TRACE(options);
        make(options);
        ASSERT_EQ(in("qemu-img snapshot -c then image && "
                     "qemu-io -t unsafe -f qcow2 -c 'write -q -P 0x77 0 64k' image"),
                  "");
        resize_to(40 * kMiB);
        expect_clean();
        preallocate_as(Preallocation::metadata);
        expect_clean();
        EXPECT_EQ(in("qemu-io -t unsafe -f qcow2 -c 'read -q -P 0x77 0 64k' image"), "");
        EXPECT_EQ(in("qemu-img snapshot -a then image"), "");
        expect_clean();
        expect_same_data(8 * kMiB);
        EXPECT_EQ(in("qemu-img snapshot -d then image"), "");
        expect_clean();
    }
}

TEST_F(Qcow2ResizeQemuTest, BitmapsSurvivePreallocation) {
    make("compat=1.1");
    ASSERT_EQ(in("qemu-img bitmap --add image one && "
                 "qemu-io -t unsafe -f qcow2 -c 'write -q -P 0x11 0 64k' image"),
              "");
    preallocate_as(Preallocation::metadata);
    const std::string checked = in("qemu-img check -f qcow2 image");
    EXPECT_NE(checked.find("No errors were found"), std::string::npos) << checked;
    EXPECT_NE(in("qemu-img info image").find("name: one"), std::string::npos);
    EXPECT_EQ(in("qemu-img bitmap --remove image one"), "");
    resize_to(kGiB);
    expect_clean();
}

TEST_F(Qcow2ResizeQemuTest, ImagesInDisorderStayClean) {
    int checked = 0;
    for (unsigned seed = 3000; seed < 3040; ++seed) {
        std::mt19937_64 random(seed);
        test::Qcow2Recipe recipe = test::random_recipe(random);
        recipe.base.clear();
        SCOPED_TRACE("seed " + std::to_string(seed) + " " + describe(recipe));
        test::MemoryStore built = build_qcow2(recipe, random);
        std::filesystem::remove(directory_ + "/image");
        change([&](ByteSource& file) {
            return file.write_at(0, built.bytes(0, static_cast<std::size_t>(*built.size())));
        });
        if (seed % 2 == 0) {
            resize_to(recipe.virtual_size + random() % (1000 * kMiB) / 512 * 512);
        } else {
            preallocate_as(Preallocation::metadata);
        }
        expect_clean();
        if (HasFailure()) return;
        ++checked;
    }
    EXPECT_EQ(checked, 40);
}

TEST_F(Qcow2ResizeQemuTest, ARewrittenHeaderSaysOfTheBaseWhatQemuReads) {
    ASSERT_EQ(in("qemu-img create -q -f qcow2 first 8M && qemu-img create -q -f raw second 8M && "
                 "qemu-io -f raw -c 'write -q -P 0x5a 0 8M' second && "
                 "qemu-img create -q -f qcow2 -b first -F qcow2 image && "
                 "qemu-img bitmap --add image one"),
              "");
    HeaderChanges changes;
    changes.change_base = true;
    changes.base = RecordedBase{"second", "raw"};
    changes.lazy_refcounts = true;
    change([&](ByteSource& file) { return rewrite_header(file, changes); });
    const std::string info = in("qemu-img info image");
    EXPECT_NE(info.find("backing file: second"), std::string::npos) << info;
    EXPECT_NE(info.find("backing file format: raw"), std::string::npos) << info;
    EXPECT_NE(info.find("lazy refcounts: true"), std::string::npos) << info;
    EXPECT_NE(info.find("name: one"), std::string::npos) << info;
    EXPECT_EQ(in("qemu-io -t unsafe -f qcow2 -c 'read -q -P 0x5a 0 8M' image"), "");
    changes.base.reset();
    change([&](ByteSource& file) { return rewrite_header(file, changes); });
    EXPECT_EQ(in("qemu-img info image").find("backing"), std::string::npos);
    EXPECT_EQ(in("qemu-io -t unsafe -f qcow2 -c 'read -q -P 0 0 8M' image"), "");
}

}  // namespace sfg::qcow2
