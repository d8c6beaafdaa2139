// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Volumes made from others: of this pool, of other gluster pools and of local ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>

#include "tests/support/data_map.hpp"
#include "tests/support/image_checks.hpp"
#include "tests/support/open_image.hpp"
#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

class CloneTest : public PoolTest {
  protected:
    // What was asked for and nothing else: no temporary, and no mount anywhere but the lab's own.
    void expect_names(std::vector<std::string> names) {
        std::sort(names.begin(), names.end());
        std::vector<std::string> found;
        for (const auto& entry : fs::recursive_directory_iterator(brick()))
            if (!entry.is_directory())
                found.push_back(fs::relative(entry.path(), brick()).string());
        std::sort(found.begin(), found.end());
        EXPECT_EQ(found, names);
    }

    // A pool of this host's files; gone at the end.
    Pool local_pool() {
        const std::string path = local();
        const std::string name = "local-" + pool_name();
        client().forget(name);
        const Pool made =
            *client().define("<pool type='dir'><name>" + name + "</name><target><path>" + path +
                             "</path></target></pool>");
        EXPECT_TRUE(done(made.start()));
        local_ = name;
        local_path_ = path;
        return made;
    }

    void TearDown() override {
        if (!local_.empty()) client().forget(local_);
        PoolTest::TearDown();
    }

    std::string local_path_;

  private:
    std::string local_;
};

// A request for a volume like its source: virsh vol-clone copies the source's document.
VolumeSpec like(const std::string& name, const std::string& format, std::uint64_t capacity = 0) {
    VolumeSpec spec = format == "raw" ? raw(name, capacity) : qcow2(name, capacity);
    spec.allocation = 0;
    return spec;
}

}  // namespace

TEST_F(CloneTest, ARawVolumeKeepsItsHoles) {
    ASSERT_TRUE(
        make_sparse(fuse("a"), 100 * kMiB + 4097,
                    {{0, 4096}, {3 * kMiB, 2 * kMiB}, {50 * kMiB, 64 * kKiB}, {100 * kMiB, 4097}}));
    ASSERT_TRUE(done(pool().refresh()));
    ASSERT_TRUE(done(pool().clone(like("b", "raw"), *pool().volume("a"))));
    EXPECT_EQ(to_text(data_map(brick("b"))), to_text(data_map(brick("a"))));
    EXPECT_TRUE(shell("cmp " + quoted(fuse("a")) + " " + quoted(fuse("b"))).ok());
    expect_names({"a", "b"});
}

TEST_F(CloneTest, ARawVolumeIsAllOnDiskWhenTheRequestSaysSo) {
    ASSERT_TRUE(done(pool().create(raw("a", 8 * kMiB))));
    VolumeSpec spec = like("b", "raw");
    spec.allocation.reset();  // "If omitted ... the volume will be fully allocated"
    ASSERT_TRUE(done(pool().clone(spec, *pool().volume("a"))));
    EXPECT_GE(space_of(fuse("b")), 8 * kMiB);
}

TEST_F(CloneTest, ARawVolumeMayBecomeLarger) {
    const std::string bytes = noise(kMiB + 7);
    write_file("a", bytes);
    ASSERT_TRUE(done(pool().refresh()));
    ASSERT_TRUE(done(pool().clone(like("b", "raw", 3 * kMiB), *pool().volume("a"))));
    EXPECT_EQ(pool().volume("b")->info()->capacity, 3 * kMiB);
    EXPECT_TRUE(same_bytes(read_file("b"), bytes + std::string(3 * kMiB - bytes.size(), '\0')));
}

TEST_F(CloneTest, AnImageIsCopiedWithAllThatIsInIt) {
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 -o cluster_size=4k,lazy_refcounts=on " +
                      quoted(fuse("a")) + " 64M")
                    .ok());
    ASSERT_TRUE(in_image("qcow2", fuse("a"), "write -P 1 0 1M;write -z 5M 1M;write -c -P 2 9M 1M"));
    ASSERT_TRUE(shell("qemu-img snapshot -c kept " + quoted(fuse("a"))).ok());
    ASSERT_TRUE(in_image("qcow2", fuse("a"), "write -P 4 0 2M"));
    ASSERT_TRUE(done(pool().refresh()));
    VolumeSpec spec = like("x/y/b", "qcow2");
    ASSERT_TRUE(done(pool().clone(spec, *pool().volume("a"))));
    EXPECT_TRUE(sound(fuse("x/y/b")));
    EXPECT_TRUE(same_guest_bytes("qcow2", fuse("a"), "qcow2", fuse("x/y/b")));
    EXPECT_NE(shell("qemu-img snapshot -l " + quoted(fuse("x/y/b"))).output.find("kept"),
              std::string::npos);
    EXPECT_EQ(image_field(fuse("x/y/b"), "cluster-size"), "4096");
}

TEST_F(CloneTest, AnOverlayKeepsItsBaseUnderTheNameThatFitsItsPlace) {
    ASSERT_TRUE(done(pool().create(qcow2("image_cache/base", 64 * kMiB))));
    ASSERT_TRUE(in_image("qcow2", fuse("image_cache/base"), "write -P 1 0 8M"));
    ASSERT_TRUE(done(pool().create(overlay("top", "image_cache/base"))));
    ASSERT_TRUE(in_image("qcow2", fuse("top"), "write -P 2 4M 8M"));
    ASSERT_TRUE(done(pool().refresh()));
    // virsh vol-clone sends the source's own <backingStore>.
    VolumeSpec spec = overlay("a/b/c/copy", uri("image_cache/base"));
    const auto copy = pool().clone(spec, *pool().volume("top"));
    ASSERT_TRUE(done(copy));
    EXPECT_EQ(image_field(fuse("a/b/c/copy"), "backing-filename"), "../../../image_cache/base");
    EXPECT_NE(copy->xml()->find(uri("image_cache/base")), std::string::npos);
    EXPECT_TRUE(sound(fuse("a/b/c/copy")));
    EXPECT_TRUE(same_guest_bytes("qcow2", fuse("top"), "qcow2", fuse("a/b/c/copy")));
    EXPECT_LE(space_of(fuse("a/b/c/copy")), 10 * kMiB) << "the base was copied along";
}

TEST_F(CloneTest, AnImageGrowsOnItsWay) {
    ASSERT_TRUE(done(pool().create(qcow2("a", 10 * kMiB))));
    ASSERT_TRUE(in_image("qcow2", fuse("a"), "write -P 1 0 10M"));
    ASSERT_TRUE(done(pool().refresh()));
    ASSERT_TRUE(done(pool().clone(like("b", "qcow2", 20 * kGiB), *pool().volume("a"))));
    EXPECT_EQ(pool().volume("b")->info()->capacity, 20 * kGiB);
    EXPECT_TRUE(sound(fuse("b")));
    EXPECT_TRUE(in_image("qcow2", fuse("b"), "read -P 1 0 10M;read -P 0 10M 10M"));
}

TEST_F(CloneTest, WithItsMetadataPreallocated) {
    ASSERT_TRUE(done(pool().create(qcow2("a", 10 * kMiB))));
    ASSERT_TRUE(in_image("qcow2", fuse("a"), "write -P 1 1M 1M"));
    ASSERT_TRUE(done(pool().refresh()));
    ASSERT_TRUE(done(pool().clone(like("b", "qcow2"), *pool().volume("a"),
                                  VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA)));
    EXPECT_TRUE(sound(fuse("b")));
    EXPECT_NE(shell("qemu-img check " + quoted(fuse("b"))).output.find("160/160 = 100.00%"),
              std::string::npos);
    EXPECT_TRUE(same_guest_bytes("qcow2", fuse("a"), "qcow2", fuse("b")));
}

TEST_F(CloneTest, AChainIsFlattenedWhereTheRequestHasNoBase) {
    ASSERT_TRUE(done(pool().create(raw("base", 16 * kMiB))));
    ASSERT_TRUE(in_image("raw", fuse("base"), "write -P 1 0 4M;write -P 9 15M 1M"));
    ASSERT_TRUE(done(pool().create(overlay("d/middle", "base", "raw"))));
    ASSERT_TRUE(in_image("qcow2", fuse("d/middle"), "write -P 2 2M 4M;write -z 15M 512k"));
    ASSERT_TRUE(done(pool().create(overlay("top", "d/middle"))));
    ASSERT_TRUE(in_image("qcow2", fuse("top"), "write -P 3 4M 4M"));
    ASSERT_TRUE(done(pool().refresh()));
    for (const char* format : {"qcow2", "raw"}) {
        const std::string name = std::string("flat.") + format;
        const auto flat = pool().clone(like(name, format), *pool().volume("top"));
        ASSERT_TRUE(done(flat)) << format;
        EXPECT_EQ(flat->xml()->find("<backingStore"), std::string::npos);
        EXPECT_TRUE(same_guest_bytes("qcow2", fuse("top"), format, fuse(name)));
        EXPECT_EQ(image_field(fuse(name), "full-backing-filename"), "");
        EXPECT_LE(space_of(fuse(name)), 11 * kMiB) << "holes were filled";
    }
    EXPECT_TRUE(sound(fuse("flat.qcow2")));
    expect_names({"base", "d/middle", "top", "flat.qcow2", "flat.raw"});
}

TEST_F(CloneTest, OverAnotherBaseTheContentsStayTheSources) {
    ASSERT_TRUE(done(pool().create(raw("old", 8 * kMiB))));
    ASSERT_TRUE(in_image("raw", fuse("old"), "write -P 1 0 4M"));
    ASSERT_TRUE(done(pool().create(raw("new", 8 * kMiB))));
    ASSERT_TRUE(in_image("raw", fuse("new"), "write -P 5 0 8M"));
    ASSERT_TRUE(done(pool().create(overlay("top", "old", "raw"))));
    ASSERT_TRUE(in_image("qcow2", fuse("top"), "write -P 2 2M 1M"));
    ASSERT_TRUE(done(pool().refresh()));
    ASSERT_TRUE(done(pool().clone(overlay("moved", "new", "raw"), *pool().volume("top"))));
    EXPECT_EQ(image_field(fuse("moved"), "backing-filename"), "new");
    EXPECT_TRUE(sound(fuse("moved")));
    EXPECT_TRUE(same_guest_bytes("qcow2", fuse("top"), "qcow2", fuse("moved")));
}

TEST_F(CloneTest, BetweenFormatsAndParameters) {
    ASSERT_TRUE(done(pool().create(raw("r", 8 * kMiB))));
    ASSERT_TRUE(in_image("raw", fuse("r"), "write -P 1 1M 2M"));
    ASSERT_TRUE(shell("qemu-img create -q -f vmdk " + quoted(fuse("v")) + " 8M").ok());
    ASSERT_TRUE(in_image("vmdk", fuse("v"), "write -P 2 3M 1M"));
    ASSERT_TRUE(done(pool().refresh()));
    VolumeSpec small = like("q", "qcow2");
    small.cluster_size = 4096;
    small.compat = "0.10";
    ASSERT_TRUE(done(pool().clone(small, *pool().volume("r"))));
    EXPECT_TRUE(sound(fuse("q")));
    EXPECT_EQ(image_field(fuse("q"), "cluster-size"), "4096");
    EXPECT_EQ(image_field(fuse("q"), "compat"), "0.10");
    EXPECT_TRUE(same_guest_bytes("raw", fuse("r"), "qcow2", fuse("q")));

    VolumeSpec large = like("q2", "qcow2", 64 * kMiB);
    large.cluster_size = 2 * kMiB;
    ASSERT_TRUE(done(pool().clone(large, *pool().volume("q"))));
    EXPECT_TRUE(sound(fuse("q2")));
    EXPECT_EQ(pool().volume("q2")->info()->capacity, 64 * kMiB);
    EXPECT_TRUE(same_guest_bytes("qcow2", fuse("q"), "qcow2", fuse("q2"), false));

    ASSERT_TRUE(done(pool().clone(like("q3", "qcow2"), *pool().volume("v"))));
    EXPECT_TRUE(same_guest_bytes("vmdk", fuse("v"), "qcow2", fuse("q3")));
    ASSERT_TRUE(done(pool().clone(like("r2", "raw"), *pool().volume("q"))));
    EXPECT_TRUE(same_guest_bytes("raw", fuse("r"), "raw", fuse("r2")));
}

TEST_F(CloneTest, FromALocalPool) {
    const Pool local = local_pool();
    ASSERT_TRUE(make_sparse(local_path_ + "/r", 20 * kMiB, {{kMiB, kMiB}}));
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + quoted(local_path_ + "/q") + " 1G").ok());
    ASSERT_TRUE(in_image("qcow2", local_path_ + "/q", "write -P 1 100M 5M"));
    ASSERT_TRUE(done(local.refresh()));
    ASSERT_TRUE(done(pool().clone(like("r", "raw"), *local.volume("r"))));
    EXPECT_EQ(to_text(data_map(brick("r"))), to_text(data_map(local_path_ + "/r")));
    ASSERT_TRUE(done(pool().clone(like("q", "qcow2"), *local.volume("q"))));
    EXPECT_TRUE(sound(fuse("q")));
    EXPECT_TRUE(same_guest_bytes("qcow2", local_path_ + "/q", "qcow2", fuse("q")));
    ASSERT_TRUE(done(pool().clone(like("r-of-q", "raw"), *local.volume("q"))));
    EXPECT_TRUE(same_guest_bytes("qcow2", local_path_ + "/q", "raw", fuse("r-of-q")));
    // As the volumes of a logical pool are: /dev/GROUP/NAME is a link.
    ASSERT_TRUE(shell("mv " + quoted(local_path_ + "/q") + " " + quoted(local_path_ + "-away") +
                      " && ln -s " + quoted(local_path_ + "-away") + " " +
                      quoted(local_path_ + "/q"))
                    .ok());
    ASSERT_TRUE(done(pool().clone(like("r-of-link", "raw"), *local.volume("q"))));
    EXPECT_TRUE(same_guest_bytes("qcow2", local_path_ + "/q", "raw", fuse("r-of-link")));
    fs::remove(local_path_ + "-away");
}

TEST_F(CloneTest, FromAnotherGlusterVolume) {
    const std::string other = lab().extra_volume("second", {});
    PoolSpec spec{pool_name() + "-second", other, "/", {{lab().gluster_host(), 0}}};
    const Pool second = *start(spec);
    const std::string name = "from-" + pool_name();
    const std::string mount = lab().mount_of(other);
    ASSERT_TRUE(done(second.create(qcow2(name + ".base", 32 * kMiB))));
    ASSERT_TRUE(in_image("qcow2", mount + "/" + name + ".base", "write -P 1 0 5M"));
    ASSERT_TRUE(done(second.create(overlay(name, name + ".base"))));
    ASSERT_TRUE(in_image("qcow2", mount + "/" + name, "write -P 2 5M 5M"));
    ASSERT_TRUE(done(second.refresh()));
    ASSERT_TRUE(done(pool().clone(like("flat", "qcow2"), *second.volume(name))));
    EXPECT_TRUE(sound(fuse("flat")));
    EXPECT_TRUE(same_guest_bytes("qcow2", mount + "/" + name, "qcow2", fuse("flat")));
    ASSERT_TRUE(done(pool().clone(like("base", "qcow2"), *second.volume(name + ".base"))));
    EXPECT_TRUE(same_guest_bytes("qcow2", mount + "/" + name + ".base", "qcow2", fuse("base")));
    EXPECT_TRUE(done(second.volume(name)->erase()));
    EXPECT_TRUE(done(second.volume(name + ".base")->erase()));
}

TEST_F(CloneTest, ReflinksAreRefused) {
    ASSERT_TRUE(done(pool().create(raw("a", kMiB))));
    EXPECT_TRUE(
        refused(pool().clone(like("b", "raw"), *pool().volume("a"), VIR_STORAGE_VOL_CREATE_REFLINK),
                VIR_ERR_CONFIG_UNSUPPORTED, "reflinks"));
    expect_names({"a"});
    EXPECT_FALSE(pool().lists("b"));
}

TEST_F(CloneTest, ManyOfOneSourceAtOnce) {
    ASSERT_TRUE(done(pool().create(qcow2("a", 64 * kMiB))));
    ASSERT_TRUE(in_image("qcow2", fuse("a"), "write -P 1 0 16M"));
    ASSERT_TRUE(done(pool().refresh()));
    std::vector<std::future<Refusal>> clones;
    for (int i = 0; i < 6; ++i)
        clones.push_back(std::async(std::launch::async, [&, i] {
            const Client mine = client();
            const auto made = mine.pool(pool_name())
                                  ->clone(like("b" + std::to_string(i), "qcow2"),
                                          *mine.pool(pool_name())->volume("a"));
            const auto top = mine.pool(pool_name())->create(overlay("o" + std::to_string(i), "a"));
            return made ? top.refusal : made.refusal;
        }));
    for (auto& clone : clones) EXPECT_TRUE(done(clone.get()));
    for (int i = 0; i < 6; ++i) {
        EXPECT_TRUE(sound(fuse("b" + std::to_string(i))));
        EXPECT_TRUE(same_guest_bytes("qcow2", fuse("a"), "qcow2", fuse("b" + std::to_string(i))));
    }
}

TEST_F(CloneTest, ACloneOntoANameThatIsTakenElsewhereSparesIt) {
    ASSERT_TRUE(done(pool().create(raw("a", kMiB))));
    // Made behind libvirt's back: it calls deleteVol after the failure.
    write_file("b", "another host's");
    EXPECT_TRUE(refused(pool().clone(like("b", "raw"), *pool().volume("a")),
                        VIR_ERR_STORAGE_VOL_EXIST, "storage volume 'b' of pool '"));
    EXPECT_EQ(read_file("b"), "another host's");
    expect_names({"a", "b"});
    EXPECT_TRUE(refused(pool().clone(like("b", "qcow2"), *pool().volume("a")),
                        VIR_ERR_STORAGE_VOL_EXIST, "storage volume 'b' of pool '"));
    EXPECT_EQ(read_file("b"), "another host's");
}

TEST_F(CloneTest, WhatAnImageNamesOutsideOfPoolsIsNotOpened) {
    const std::string secret = lab().scratch() + "/secret";
    std::ofstream(secret) << std::string(4096, 's');
    ASSERT_TRUE(shell("qemu-img create -q -u -f qcow2 -b " + quoted(secret) + " -F raw " +
                      quoted(fuse("evil")) + " 1M")
                    .ok());
    ASSERT_TRUE(shell("qemu-img create -q -u -f qcow2 -b gluster://192.0.2.1/v/x -F raw " +
                      quoted(fuse("far")) + " 1M")
                    .ok());
    ASSERT_TRUE(shell("qemu-img create -q -u -f qcow2 -o data_file=" + quoted(secret + "2") + " " +
                      quoted(fuse("external")) + " 1M")
                    .ok());
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(refused(pool().clone(like("x", "raw"), *pool().volume("evil")),
                        VIR_ERR_OPERATION_FAILED, "local-base-directories"));
    EXPECT_TRUE(refused(pool().clone(like("x", "raw"), *pool().volume("far")),
                        VIR_ERR_OPERATION_FAILED, "192.0.2.1"));
    EXPECT_TRUE(refused(pool().clone(like("x", "raw"), *pool().volume("external")),
                        VIR_ERR_CONFIG_UNSUPPORTED, "external file"));
    EXPECT_TRUE(refused(resize(*pool().volume("evil"), 4 * kMiB), VIR_ERR_OPERATION_FAILED,
                        "local-base-directories"));
    EXPECT_FALSE(exists("x"));
}

TEST_F(CloneTest, AnImageThatAGuestWritesToIsNotCopied) {
    const Pool local = local_pool();
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + quoted(local_path_ + "/q") + " 8M").ok());
    ASSERT_TRUE(done(local.refresh()));
    ASSERT_TRUE(done(pool().create(qcow2("a", 8 * kMiB))));
    {
        OpenImage guest(1, local_path_ + "/q", "qcow2");
        OpenImage other(1, fuse("a"), "qcow2");
        ASSERT_TRUE(guest.is_open()) << guest.said();
        ASSERT_TRUE(other.is_open()) << other.said();
        EXPECT_TRUE(refused(pool().clone(like("x", "qcow2"), *local.volume("q")),
                            VIR_ERR_RESOURCE_BUSY, "for writing"));
        EXPECT_TRUE(refused(pool().clone(like("x", "qcow2"), *pool().volume("a")),
                            VIR_ERR_RESOURCE_BUSY, "for writing"));
        guest.close();
        other.close();
    }
    EXPECT_TRUE(done(pool().clone(like("x", "qcow2"), *local.volume("q"))));
    EXPECT_TRUE(done(pool().clone(like("y", "qcow2"), *pool().volume("a"))));
}

TEST_F(CloneTest, NothingOfALongerBaseShowsBehindTheContents) {
    ASSERT_TRUE(done(pool().create(raw("base", 8 * kMiB))));
    ASSERT_TRUE(in_image("raw", fuse("base"), "write -P 5 0 8M"));
    ASSERT_TRUE(done(pool().create(raw("a", 2 * kMiB))));
    VolumeSpec spec = overlay("b", "base", "raw");
    ASSERT_TRUE(done(pool().clone(spec, *pool().volume("a"))));
    EXPECT_TRUE(same_guest_bytes("raw", fuse("a"), "qcow2", fuse("b")));
    spec = overlay("c", "base", "raw");
    spec.capacity = 8 * kMiB;
    EXPECT_TRUE(refused(pool().clone(spec, *pool().volume("a")), VIR_ERR_CONFIG_UNSUPPORTED));
    expect_names({"a", "b", "base"});
}

TEST_F(CloneTest, ALinkOnAFuseMountIsNoSource) {
    // A dir pool over the FUSE mount of a gluster volume, in which a stranger has put a link.
    const std::string name = "over-fuse-" + pool_name();
    client().forget(name);
    const Pool over = *client().define("<pool type='dir'><name>" + name + "</name><target><path>" +
                                       fuse() + "</path></target></pool>");
    ASSERT_TRUE(done(over.start()));
    write_file("plain", std::string(4096, 'p'));
    const std::string secret = lab().scratch() + "/secret";
    std::ofstream(secret) << std::string(4096, 's');
    fs::create_symlink(secret, fuse("link"));
    ASSERT_TRUE(done(over.refresh()));
    EXPECT_TRUE(done(pool().clone(like("copy", "raw"), *over.volume("plain"))));
    if (const auto link = over.volume("link")) {
        EXPECT_NE(pool().clone(like("x", "raw"), *link).refusal.code, VIR_ERR_OK);
    }
    EXPECT_FALSE(exists("x"));
    client().forget(name);
}

TEST_F(CloneTest, AVmdkThatLeadsToOtherFilesIsNotOpened) {
    // A size of 0 sends qemu to the text, which is in the second sector here.
    std::string image(4096, '\0');
    image.replace(0, 4, "KDMV");
    image[4] = 1;   // version
    image[28] = 1;  // where the text is
    image[36] = 4;  // how long it is
    image.replace(512, 0,
                  "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
                  "createType=\"monolithicFlat\"\n\nRW 16 FLAT \"/etc/shadow\" 0\n");
    write_file("v", image);
    ASSERT_TRUE(done(pool().refresh()));
    const auto source = *pool().volume("v");
    ASSERT_NE(source.xml()->find("format type='vmdk'"), std::string::npos);
    EXPECT_TRUE(
        refused(pool().clone(like("x", "raw"), source), VIR_ERR_CONFIG_UNSUPPORTED, "VMDK"));
}

TEST_F(CloneTest, ARawDiskWithAHeaderInItIsCopiedAsRaw) {
    ASSERT_TRUE(done(pool().create(raw("disk", kMiB))));
    ASSERT_TRUE(shell("qemu-img create -q -u -f qcow2 -b /etc/shadow -F raw " +
                      quoted(lab().scratch() + "/header") +
                      " 1M && dd status=none conv=notrunc if=" +
                      quoted(lab().scratch() + "/header") + " of=" + quoted(fuse("disk")))
                    .ok());
    ASSERT_TRUE(done(pool().refresh()));
    const auto copy = pool().clone(like("copy", "raw"), *pool().volume("disk"));
    ASSERT_TRUE(done(copy));
    EXPECT_NE(copy->xml()->find("<format type='raw'/>"), std::string::npos);
    ASSERT_TRUE(done(pool().clone(like("image", "qcow2"), *pool().volume("disk"))));
    EXPECT_TRUE(same_guest_bytes("raw", fuse("disk"), "qcow2", fuse("image")));
}

}  // namespace sfg::test
