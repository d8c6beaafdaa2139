// SPDX-License-Identifier: LGPL-2.1-or-later
//
// After an upload the volume is what was uploaded.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

class UploadedFormatTest : public PoolTest {
  protected:
    // A command line in the directory of local images.
    static void here(const std::string& command) {
        const Ran ran = shell("cd " + quoted(local()) + " && " + command);
        ASSERT_TRUE(ran.ok()) << ran.output;
    }

    static Ran over_gfapi(const std::string& command) {
        return shell("LD_PRELOAD=" + lab().quick_close() + " " + command +
                     " 2>&1 | grep -v ' [EWI] \\['");
    }

    Volume uploaded(const std::string& name, const std::string& image) {
        auto volume = pool().create(raw(name, fs::file_size(local(image))));
        EXPECT_TRUE(done(volume));
        EXPECT_TRUE(done(upload_file(*volume, local(image))));
        return *volume;
    }

    // What dumpxml says: once libvirt has looked again, which it does in a thread of its own after
    // an upload, and after a refresh.
    void expect_shown(const std::string& name, const std::string& format, std::uint64_t capacity,
                      const std::string& base = "") {
        const auto shown = [&] { return XmlText(*pool().volume(name)->xml()); };
        EXPECT_TRUE(
            comes_true([&] { return shown().at("//target/format/@type") == format; }, seconds(5)));
        for (const bool refreshed : {false, true}) {
            if (refreshed) {
                ASSERT_TRUE(done(pool().refresh()));
            }
            const XmlText xml = shown();
            EXPECT_EQ(xml.at("/volume/target/format/@type"), format) << refreshed;
            EXPECT_EQ(xml.number("/volume/capacity"), capacity) << refreshed;
            EXPECT_EQ(xml.at("/volume/backingStore/path"), base) << refreshed;
        }
    }

    // qemu finds nothing wrong with it, both ways.
    void expect_opens(const std::string& name) {
        const Ran checked = shell("qemu-img check -f qcow2 " + quoted(fuse(name)));
        EXPECT_TRUE(checked.ok()) << checked.output;
        const Ran info = shell("qemu-img info --backing-chain " + quoted(fuse(name)));
        EXPECT_TRUE(info.ok()) << info.output;
        const Ran second = over_gfapi("qemu-img check -f qcow2 " + quoted(uri(name)));
        EXPECT_NE(second.output.find("No errors were found"), std::string::npos) << second.output;
        const Ran other = over_gfapi("qemu-img info --backing-chain " + quoted(uri(name)));
        EXPECT_NE(other.output.find("file format: qcow2"), std::string::npos) << other.output;
        EXPECT_EQ(other.output.find("Could not"), std::string::npos) << other.output;
    }
};

}  // namespace

TEST_F(UploadedFormatTest, Qcow2WithARelativeBase) {
    ASSERT_TRUE(done(pool().create(qcow2("image_cache/base", 3 * kGiB))));
    here("qemu-img create -q -f qcow2 -u -F qcow2 -b ../../image_cache/base disk 5G");
    uploaded("instances/u/vda", "disk");
    expect_shown("instances/u/vda", "qcow2", 5 * kGiB, uri("image_cache/base"));
    EXPECT_EQ(
        XmlText(*pool().volume("instances/u/vda")->xml()).at("/volume/backingStore/format/@type"),
        "qcow2");
    expect_opens("instances/u/vda");
}

TEST_F(UploadedFormatTest, Raw) {
    here("head -c 1000001 /dev/urandom > disk");
    uploaded("a", "disk");
    expect_shown("a", "raw", 1000001);
}

TEST_F(UploadedFormatTest, Vmdk) {
    here("qemu-img create -q -f vmdk disk 20M");
    uploaded("a", "disk");
    expect_shown("a", "vmdk", 20 * kMiB);
}

TEST_F(UploadedFormatTest, RawOverQcow2) {
    ASSERT_TRUE(done(pool().create(qcow2("a", kGiB))));
    const auto length = fs::file_size(fuse("a"));
    ASSERT_TRUE(done(upload(*pool().volume("a"), noise(kMiB))));
    expect_shown("a", "raw", std::max<std::uint64_t>(length, kMiB));
}

TEST_F(UploadedFormatTest, Qcow2OverVmdk) {
    here("qemu-img create -q -f vmdk first 20M; qemu-img create -q -f qcow2 disk 7G");
    const auto volume = uploaded("a", "first");
    ASSERT_TRUE(done(upload_file(volume, local("disk"))));
    expect_shown("a", "qcow2", 7 * kGiB);
    expect_opens("a");
}

// What Shaken Fist does with an image it has fetched: put it under its hash, and make disks on it.
TEST_F(UploadedFormatTest, AFetchedImageIsABaseAtOnce) {
    for (const auto& [cluster, odd] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
             {65536, 0}, {65536, 513}, {4096, 1}, {2 * kMiB, 100}}) {
        const std::string id = std::to_string(cluster) + "-" + std::to_string(odd);
        here("qemu-img create -q -f qcow2 -o cluster_size=" + std::to_string(cluster) +
             " disk 40M && qemu-io -f qcow2 -c 'write -P 0x61 0 1M' -c 'write -P 0x62 30M 3000k' "
             "disk >/dev/null && head -c " +
             std::to_string(odd) + " /dev/zero >> disk");
        const std::string name = "image_cache/" + id + ".v001";
        const auto length = fs::file_size(local("disk"));
        uploaded(name, "disk");
        const std::string disk = "instances/" + id + "/vda";
        // No refresh, no second look.
        ASSERT_TRUE(done(pool().create(overlay(disk, name)))) << name;
        EXPECT_EQ(fs::file_size(fuse(name)), (length + cluster - 1) / cluster * cluster) << name;
        expect_shown(name, "qcow2", 40 * kMiB);
        expect_opens(name);
        expect_opens(disk);
        const std::string reads =
            "qemu-io -r -f qcow2 -c 'read -P 0x61 0 1M' -c 'read -P 0x62 30M 3000k' "
            "-c 'read -P 0 2M 28M' ";
        const Ran seen = shell(reads + quoted(fuse(disk)));
        EXPECT_TRUE(seen.ok()) << seen.output;
        EXPECT_EQ(seen.output.find("failed"), std::string::npos) << seen.output;
    }
}

TEST_F(UploadedFormatTest, AnImageWithNothingInItIsPaddedToo) {
    here("qemu-img create -q -f qcow2 disk 10M");
    ASSERT_NE(fs::file_size(local("disk")) % 512, 0u);  // otherwise this tests nothing
    uploaded("a", "disk");
    EXPECT_EQ(fs::file_size(fuse("a")) % 65536, 0u);
    expect_opens("a");
}

// Of what stands before the uploaded part nobody has said what it is.
TEST_F(UploadedFormatTest, APartOfARawDiskStaysRaw) {
    ASSERT_TRUE(done(pool().create(qcow2("secret", kGiB))));
    ASSERT_TRUE(done(pool().create(raw("disk", 4 * kMiB))));
    here("qemu-img create -q -f qcow2 -u -F qcow2 -b secret guests 1G && dd if=guests of=" +
         quoted(fuse("disk")) + " conv=notrunc status=none");
    ASSERT_TRUE(done(upload(*pool().volume("disk"), noise(kMiB), {2 * kMiB, kMiB})));
    expect_shown("disk", "raw", 4 * kMiB);
    EXPECT_EQ(fs::file_size(fuse("disk")), 4 * kMiB);
}

TEST_F(UploadedFormatTest, APartOfAQcow2ImageStaysQcow2) {
    ASSERT_TRUE(done(pool().create(qcow2("a", kGiB))));
    const std::string image = read_file("a");
    ASSERT_TRUE(done(upload(*pool().volume("a"), std::string_view(image).substr(512), {512, 0})));
    expect_shown("a", "qcow2", kGiB);
    expect_opens("a");
}

// Afterwards it is a raw disk whose guest may write what it likes.
TEST_F(UploadedFormatTest, AnUploadedRawDiskStaysRaw) {
    here("head -c 3000000 /dev/zero > disk");
    uploaded("a", "disk");
    ASSERT_TRUE(done(pool().create(qcow2("secret", kGiB))));
    here("qemu-img create -q -f qcow2 -u -F qcow2 -b secret guests 1G && dd if=guests of=" +
         quoted(fuse("a")) + " conv=notrunc status=none");
    ASSERT_TRUE(done(pool().refresh()));
    expect_shown("a", "raw", 3000000);
}

// The same, whatever it was: only what was uploaded as qcow2 has a base.
TEST_F(UploadedFormatTest, WhatIsNoQcow2BecomesNone) {
    ASSERT_TRUE(done(pool().create(qcow2("secret", kGiB))));
    here("qemu-img create -q -f qcow2 -u -F qcow2 -b secret guests 1G");
    here(
        "head -c 3000000 /dev/zero > iso && printf '\\001CD001' | dd of=iso bs=1 seek=32768 "
        "conv=notrunc status=none");
    here("qemu-img create -q -f vmdk vmdk 3M");
    for (const auto& [image, shown] :
         std::map<std::string, std::string>{{"iso", "iso"}, {"vmdk", "raw"}}) {
        uploaded(image, image);
        expect_shown(image, image, image == "iso" ? 3000000 : 3 * kMiB);
        const auto length = fs::file_size(local(image));
        here("dd if=guests of=" + quoted(fuse(image)) + " conv=notrunc status=none");
        ASSERT_TRUE(done(pool().refresh()));
        expect_shown(image, shown, std::max<std::uint64_t>(length, fs::file_size(fuse(image))));
        // Nothing but its own bytes is in a copy.
        ASSERT_TRUE(done(pool().clone(raw("copy-" + image, length), *pool().volume(image))));
        EXPECT_EQ(read_file("copy-" + image), read_file(image));
    }
}

TEST_F(UploadedFormatTest, ADamagedImageIsTakenAsItIs) {
    here(
        "qemu-img create -q -f qcow2 disk 10M && printf '\\377\\377\\377\\377' | dd of=disk bs=1 "
        "seek=20 conv=notrunc status=none");  // cluster_bits
    const auto length = fs::file_size(local("disk"));
    uploaded("a", "disk");
    EXPECT_EQ(fs::file_size(fuse("a")), length);
    EXPECT_FALSE(pool().create(overlay("b", "a")));
    EXPECT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(done(pool().volume("a")->erase()));
}

}  // namespace sfg::test
