// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Names, directories, looking up, raw volumes and formats that are only listed.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class VolumesTest : public PoolTest {
  protected:
    std::uint64_t length(const std::string& name) const { return fs::file_size(fuse(name)); }
    std::uint64_t on_disk(const std::string& name) const {
        struct stat status {};
        EXPECT_EQ(stat(fuse(name).c_str(), &status), 0);
        return static_cast<std::uint64_t>(status.st_blocks) * 512;
    }

    // A brick may keep a file's attributes in a block of their own.
    static constexpr std::uint64_t kAttributes = 64 * kKiB;

    static void expect_about(std::uint64_t found, std::uint64_t wanted) {
        EXPECT_GE(found, wanted);
        EXPECT_LE(found, wanted + kAttributes);
    }

    // Makes an image by qemu-img in the pool's directory.
    void qemu_img_create(const std::string& format, const std::string& name,
                         const std::string& options = "") {
        const std::string create =
            "qemu-img create -q -f " + format + " " + options + " " + quoted(fuse(name)) + " 20M";
        const Ran made = shell(format == "luks" ? luks_command(create) : create);
        ASSERT_TRUE(made.ok()) << made.output;
    }
};

}  // namespace

TEST_F(VolumesTest, ANameWithDirectoriesWorksEverywhere) {
    const std::string name = "instances/0b5c7ad4-5d43-4a5a-a3e2-6a26d0c36b1e/vda";
    auto made = pool().create(raw(name, 5 * kMiB));
    ASSERT_TRUE(done(made));
    EXPECT_EQ(made->name(), name);
    EXPECT_EQ(made->key(), uri(name));
    EXPECT_EQ(made->path(), uri(name));
    EXPECT_EQ(length(name), 5 * kMiB);

    EXPECT_EQ(pool().volume(name)->key(), uri(name));
    EXPECT_EQ(client().volume_by_key(uri(name))->name(), name);
    EXPECT_EQ(client().volume_by_path(uri(name))->name(), name);

    const XmlText xml(*made->xml());
    EXPECT_EQ(xml.at("/volume/@type"), "network");
    EXPECT_EQ(xml.at("/volume/name"), name);
    EXPECT_EQ(xml.at("/volume/key"), uri(name));
    EXPECT_EQ(xml.at("/volume/target/path"), uri(name));
    EXPECT_EQ(xml.number("/volume/capacity"), 5 * kMiB);
    EXPECT_EQ(xml.at("//target/format/@type"), "raw");
    EXPECT_EQ(xml.at("//permissions/mode"), "0600");
    EXPECT_TRUE(xml.has("//timestamps/mtime"));
    const auto info = made->info();
    ASSERT_TRUE(done(info));
    EXPECT_EQ(info->type, VIR_STORAGE_VOL_NETWORK);
    EXPECT_EQ(info->capacity, 5 * kMiB);

    EXPECT_TRUE(done(made->erase()));
    EXPECT_TRUE(refused(pool().volume(name), VIR_ERR_NO_STORAGE_VOL));
    EXPECT_EQ(on_brick(), Names{});
}

TEST_F(VolumesTest, ListAndRefreshAgree) {
    for (const char* name : {"c", "image_cache/9b5e.v001", "instances/u/vda", "instances/u/vdb"})
        ASSERT_TRUE(done(pool().create(raw(name))));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(),
              (Names{"c", "image_cache", "image_cache/9b5e.v001", "instances", "instances/u",
                     "instances/u/vda", "instances/u/vdb"}));
    EXPECT_EQ(pool().volume("instances/u")->info()->type, VIR_STORAGE_VOL_NETDIR);
    EXPECT_EQ(XmlText(*pool().volume("instances")->xml()).at("/volume/@type"), "netdir");
}

TEST_F(VolumesTest, UnusualNamesAreTakenAsTheyAre) {
    const Names names = {
        "a b",       "Grüße",   "100%",  "q?x=1#y", "&<>'\"", "a:b",
        "-rf",       ".hidden", "..a",   "a..",     "~",      std::string(255, 'n'),
        "$(reboot)", "日本",    "a\\nb", "%2e%2e",  "[1]",    "a;b,c"};
    for (const auto& name : names) {
        auto made = pool().create(raw(name));
        ASSERT_TRUE(done(made)) << name;
        EXPECT_TRUE(exists(name)) << name;
        EXPECT_EQ(client().volume_by_key(made->key())->name(), name);
    }
    ASSERT_TRUE(done(pool().refresh()));
    for (const auto& name : names) {
        auto found = pool().volume(name);
        ASSERT_TRUE(done(found)) << name;
        EXPECT_EQ(client().volume_by_path(found->path())->name(), name);
        EXPECT_TRUE(done(found->erase())) << name;
        EXPECT_FALSE(exists(name)) << name;
    }
}

TEST_F(VolumesTest, DirectoriesAreVolumesToo) {
    auto made = pool().create(directory("snapshots/deep"));
    ASSERT_TRUE(done(made));
    EXPECT_TRUE(fs::is_directory(fuse("snapshots/deep")));
    const XmlText xml(*made->xml());
    EXPECT_EQ(xml.at("/volume/@type"), "netdir");
    EXPECT_EQ(xml.at("//target/format/@type"), "dir");
    EXPECT_EQ(made->info()->type, VIR_STORAGE_VOL_NETDIR);
    EXPECT_EQ(made->key(), uri("snapshots/deep"));
    EXPECT_TRUE(refused(pool().create(directory("snapshots/deep")), VIR_ERR_STORAGE_VOL_EXIST));
    EXPECT_TRUE(done(made->erase()));
    EXPECT_FALSE(exists("snapshots/deep"));
}

TEST_F(VolumesTest, ADirectoryThatIsNotEmptyStays) {
    auto made = pool().create(directory("d"));
    ASSERT_TRUE(done(made));
    ASSERT_TRUE(done(pool().create(raw("d/a"))));
    EXPECT_TRUE(refused(made->erase(), VIR_ERR_RESOURCE_BUSY, "not empty"));
    EXPECT_TRUE(exists("d/a"));
    EXPECT_TRUE(done(pool().volume("d/a")->erase()));
    EXPECT_TRUE(done(made->erase()));
    EXPECT_FALSE(exists("d"));
}

TEST_F(VolumesTest, ParentsGoWithTheirLastVolume) {
    ASSERT_TRUE(done(pool().create(raw("a/b/one"))));
    ASSERT_TRUE(done(pool().create(raw("a/b/c/two"))));
    EXPECT_TRUE(done(pool().volume("a/b/c/two")->erase()));
    EXPECT_FALSE(exists("a/b/c"));
    EXPECT_TRUE(exists("a/b/one"));
    EXPECT_TRUE(done(pool().volume("a/b/one")->erase()));
    EXPECT_FALSE(exists("a"));
}

TEST_F(VolumesTest, DirectoriesMadeOnPurposeStay) {
    ASSERT_TRUE(done(pool().create(directory("asked-for"))));
    fs::create_directory(fuse("by-hand"));
    ASSERT_TRUE(done(pool().create(raw("asked-for/made/a"))));
    ASSERT_TRUE(done(pool().create(raw("by-hand/made/a"))));
    EXPECT_TRUE(done(pool().volume("asked-for/made/a")->erase()));
    EXPECT_TRUE(done(pool().volume("by-hand/made/a")->erase()));
    EXPECT_TRUE(exists("asked-for"));
    EXPECT_TRUE(exists("by-hand"));
    EXPECT_FALSE(exists("asked-for/made"));
    EXPECT_FALSE(exists("by-hand/made"));
}

TEST_F(VolumesTest, AFailedCreationLeavesNoParents) {
    EXPECT_FALSE(pool().create(overlay("x/y/z", "missing")));
    EXPECT_EQ(on_brick(), Names{});
}

TEST_F(VolumesTest, AFileOnTheWayIsRefused) {
    ASSERT_TRUE(done(pool().create(raw("a"))));
    EXPECT_TRUE(refused(pool().create(raw("a/b")), VIR_ERR_INVALID_ARG, "not a directory"));
}

TEST_F(VolumesTest, RawTakesTheSpaceThatIsAskedFor) {
    VolumeSpec none = raw("none", 8 * kMiB);
    VolumeSpec part = raw("part", 8 * kMiB);
    part.allocation = 2 * kMiB;
    VolumeSpec full = raw("full", 8 * kMiB);
    full.allocation = 8 * kMiB;
    VolumeSpec unsaid = raw("unsaid", 8 * kMiB);  // libvirt: then all of it
    unsaid.allocation.reset();
    for (const auto& spec : {none, part, full, unsaid}) {
        auto made = pool().create(spec);
        ASSERT_TRUE(done(made)) << spec.name;
        EXPECT_EQ(length(spec.name), 8 * kMiB) << spec.name;
        EXPECT_EQ(made->info()->capacity, 8 * kMiB) << spec.name;
    }
    expect_about(on_disk("none"), 0);
    expect_about(on_disk("part"), 2 * kMiB);
    expect_about(on_disk("full"), 8 * kMiB);
    expect_about(on_disk("unsaid"), 8 * kMiB);
    ASSERT_TRUE(done(pool().refresh()));
    expect_about(pool().volume("none")->info()->allocation, 0);
    expect_about(pool().volume("part")->info()->allocation, 2 * kMiB);
    expect_about(pool().volume("full")->info()->allocation, 8 * kMiB);
    EXPECT_EQ(read_file("full"), std::string(8 * kMiB, '\0'));
}

TEST_F(VolumesTest, AnOddRawCapacityIsKept) {
    ASSERT_TRUE(done(pool().create(raw("odd", 1000001))));
    EXPECT_EQ(length("odd"), 1000001u);
    EXPECT_EQ(pool().volume("odd")->info()->capacity, 1000001u);
}

TEST_F(VolumesTest, ZeroCapacityIsAVolume) {
    auto made = pool().create(raw("zero", 0));
    ASSERT_TRUE(done(made));
    EXPECT_EQ(length("zero"), 0u);
    EXPECT_EQ(made->info()->capacity, 0u);
    EXPECT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(done(pool().volume("zero")->erase()));
}

TEST_F(VolumesTest, AHugeRawVolumeIsSparse) {
    ASSERT_TRUE(done(pool().create(raw("huge", 4096 * kGiB))));
    EXPECT_EQ(length("huge"), 4096 * kGiB);
    expect_about(on_disk("huge"), 0);
}

TEST_F(VolumesTest, RawHasNoMetadataToPreallocate) {
    EXPECT_TRUE(refused(pool().create(raw("a"), VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA),
                        VIR_ERR_CONFIG_UNSUPPORTED, "preallocation"));
    EXPECT_EQ(on_brick(), Names{});
}

TEST_F(VolumesTest, OtherFormatsAreListedWithTheirFormat) {
    for (const char* format : {"vmdk", "vdi", "vhdx", "qed", "qcow"})
        qemu_img_create(format, std::string("a.") + format);
    qemu_img_create("vpc", "a.vpc", "-o force_size=on");
    qemu_img_create("luks", "a.luks", "--object secret,id=s,data=x -o key-secret=s,iter-time=10");
    ASSERT_TRUE(done(pool().refresh()));
    for (const char* format : {"vmdk", "vdi", "qed", "qcow", "vpc"}) {
        auto found = pool().volume(std::string("a.") + format);
        ASSERT_TRUE(done(found)) << format;
        const XmlText xml(*found->xml());
        EXPECT_EQ(xml.at("//target/format/@type"), format);
        EXPECT_EQ(xml.number("/volume/capacity"), 20 * kMiB) << format;
    }
    // For libvirt luks is a raw volume that is encrypted.
    const XmlText luks(*pool().volume("a.luks")->xml());
    EXPECT_EQ(luks.at("//target/format/@type"), "raw");
    EXPECT_EQ(luks.at("//encryption/@format"), "luks");
    // libvirt does not know vhdx: such a file is raw for it, as for the stock module.
    EXPECT_TRUE(pool().lists("a.vhdx"));
}

TEST_F(VolumesTest, OtherFormatsAreNotCreated) {
    for (const char* format :
         {"vmdk", "vdi", "vpc", "luks", "qcow", "qed", "iso", "cow", "bochs"}) {
        VolumeSpec spec = raw("a");
        spec.format = format;
        EXPECT_TRUE(refused(pool().create(spec), VIR_ERR_CONFIG_UNSUPPORTED, format)) << format;
    }
    EXPECT_EQ(on_brick(), Names{});
    EXPECT_EQ(pool().volume_names(), Names{});
}

TEST_F(VolumesTest, EncryptionIsNotSupportedAndSaysSo) {
    for (VolumeSpec spec : {raw("a"), qcow2("a")}) {
        spec.encrypted = true;
        EXPECT_TRUE(refused(pool().create(spec), VIR_ERR_CONFIG_UNSUPPORTED, "encrypt"));
    }
    EXPECT_EQ(on_brick(), Names{});
}

TEST_F(VolumesTest, HardLinksAreOneFileUnderTwoNames) {
    ASSERT_TRUE(done(pool().create(raw("a"))));
    fs::create_hard_link(fuse("a"), fuse("b"));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), (Names{"a", "b"}));
    EXPECT_TRUE(done(pool().volume("a")->erase()));
    EXPECT_TRUE(exists("b"));
}

}  // namespace sfg::test
