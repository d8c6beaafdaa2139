// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What users and administrators do wrong: one clear answer each, and nothing is changed.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;
using std::chrono::seconds;

class ErrorsTest : public PoolTest {
  protected:
    void SetUp() override {
        PoolTest::SetUp();
        ASSERT_TRUE(done(pool().create(qcow2("there"))));
        before_ = on_brick();
    }

    void expect_unchanged() {
        EXPECT_EQ(on_brick(), before_);
        EXPECT_EQ(pool().volume_names(), Names{"there"});
        EXPECT_TRUE(done(pool().refresh()));
        EXPECT_EQ(pool().volume_names(), Names{"there"});
    }

    // A pool over the root of a further gluster volume.
    Answer<Pool> start_over(const std::string& volume, const std::string& directory = "/") {
        PoolSpec other = spec();
        other.name += "-other";
        other.volume = volume;
        other.directory = directory;
        return start(other);
    }

    // Sets an option of a gluster volume and waits until clients got it.
    void set(const std::string& volume, const std::string& option, const std::string& value) {
        const Ran done = lab().gluster({"volume", "set", volume, option, value});
        ASSERT_TRUE(done.ok()) << done.output;
    }

    Names before_;
};

std::string repeated(const std::string& text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

}  // namespace

TEST_F(ErrorsTest, BadNamesAreRefused) {
    const Names bad = {"..",
                       "../a",
                       "a/../../b",
                       "a/..",
                       ".",
                       "./a",
                       "a/./b",
                       "/a",
                       "//a",
                       "a//b",
                       "a/",
                       "/",
                       "a\tb",
                       "a\nb",
                       "\x7f",
                       std::string(256, 'n'),
                       "d/" + std::string(300, 'n'),
                       repeated(std::string(250, 'n') + "/", 17) + "a",
                       ".glusterfs/a",
                       ".trashcan",
                       ".a.sfgluster-0123456789abcdef"};
    for (const auto& name : bad)
        for (VolumeSpec spec : {raw(name), qcow2(name), directory(name)})
            EXPECT_TRUE(refused(pool().create(spec), VIR_ERR_INVALID_ARG)) << name;
    expect_unchanged();
}

TEST_F(ErrorsTest, NamesThatXmlCannotCarryAreRefusedByLibvirt) {
    // Control characters and bytes that are no UTF-8.
    for (const char* name : {"a&#1;b", "a\x01z", "a\xffz", "a\xc3z", ""}) {
        const std::string xml =
            "<volume><name>" + std::string(name) + "</name><capacity>1024</capacity></volume>";
        const auto answer = pool().create_from_xml(xml);
        EXPECT_FALSE(answer) << name;
    }
    expect_unchanged();
}

TEST_F(ErrorsTest, ANameThatExistsIsRefused) {
    const std::string before = read_file("there");
    for (VolumeSpec spec : {raw("there"), qcow2("there"), directory("there")})
        EXPECT_TRUE(refused(pool().create(spec), VIR_ERR_STORAGE_VOL_EXIST));
    EXPECT_EQ(read_file("there"), before);
    expect_unchanged();
}

TEST_F(ErrorsTest, ANameThatWasTakenElsewhereIsRefusedAndNotDeleted) {
    // libvirt has not seen it, so its own list does not stop us; and its clean-up must not.
    write_file("theirs", "precious");
    fs::create_directory(fuse("dir"));
    const auto there = on_brick();
    for (VolumeSpec spec : {raw("theirs"), qcow2("theirs"), directory("theirs"), raw("dir"),
                            qcow2("dir"), directory("dir")})
        EXPECT_TRUE(refused(pool().create(spec), VIR_ERR_STORAGE_VOL_EXIST, "pool-refresh"));
    EXPECT_EQ(read_file("theirs"), "precious");
    EXPECT_EQ(on_brick(), there);
}

TEST_F(ErrorsTest, TooMuchCapacityIsRefused) {
    // libvirt itself refuses what a file's length cannot say.
    for (const std::uint64_t capacity : {1ull << 63, ~0ull}) {
        EXPECT_TRUE(refused(pool().create(raw("a", capacity)), VIR_ERR_OVERFLOW)) << capacity;
        EXPECT_TRUE(refused(pool().create(qcow2("a", capacity)), VIR_ERR_OVERFLOW)) << capacity;
    }
    for (const std::uint64_t capacity : {(1ull << 63) - 1, 1ull << 60, (1ull << 51) + 1})
        EXPECT_TRUE(refused(pool().create(qcow2("a", capacity)), VIR_ERR_CONFIG_UNSUPPORTED,
                            "2251799813685248"))
            << capacity;
    expect_unchanged();
}

TEST_F(ErrorsTest, MoreThanTheBricksFileSystemTakesIsRefused) {
    // ext4 takes 16 TiB in a file, xfs 8 EiB: either it is made, or there is a system error.
    const auto answer = pool().create(raw("large", 1ull << 62));
    if (answer) {
        EXPECT_TRUE(done(answer->erase()));
    } else {
        EXPECT_TRUE(refused(answer, VIR_ERR_SYSTEM_ERROR));
    }
    expect_unchanged();
}

TEST_F(ErrorsTest, AFullBrickIsAnErrorAndLeavesNothing) {
    const std::string volume = lab().extra_volume("it-small", {"--brick-size", "64M"});
    const std::string mounted = lab().mount_of(volume);
    shell("rm -rf " + mounted + "/*");
    auto small = start_over(volume);
    ASSERT_TRUE(done(small));
    VolumeSpec too_large = raw("d/raw", 256 * kMiB);
    too_large.allocation = too_large.capacity;
    EXPECT_TRUE(refused(small->create(too_large), VIR_ERR_SYSTEM_ERROR, "space"));
    VolumeSpec preallocated = qcow2("d/qcow2", 256 * kMiB);
    preallocated.allocation = preallocated.capacity;
    EXPECT_TRUE(refused(small->create(preallocated, VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA),
                        VIR_ERR_SYSTEM_ERROR, "space"));
    EXPECT_TRUE(fs::is_empty(mounted));
    EXPECT_EQ(small->volume_names(), Names{});

    // And when it is full to the brim; not by gluster, whose client hangs over a file that cannot
    // grow. The brick is the directory `brick` on a file system of its own.
    const std::string disk =
        fs::path(lab().path("NODE1_BRICK1")).parent_path().parent_path() / (volume + "-1");
    auto on_node = [&](const std::string& command) {
        return lab().call("exec", {"--node", "1", "--", "/bin/sh", "-c", command});
    };
    on_node("cd " + disk +
            " && dd if=/dev/zero of=filler bs=64k; dd if=/dev/zero of=filler bs=1 "
            "count=65536 oflag=append conv=notrunc");
    for (VolumeSpec spec : {qcow2("q", kGiB), raw("r", kMiB)}) {
        if (spec.name == "r") spec.allocation = spec.capacity;
        EXPECT_TRUE(refused(small->create(spec), VIR_ERR_SYSTEM_ERROR, "space")) << spec.name;
        EXPECT_FALSE(fs::exists(mounted + "/" + spec.name));
    }
    // A file that gluster can give no identity to does not stand in the way of the rest.
    on_node("touch " + disk + "/brick/nobody");
    ASSERT_TRUE(done(small->refresh()));
    EXPECT_LT(small->info()->available, kMiB);
    on_node("rm " + disk + "/filler " + disk + "/brick/nobody");
    ASSERT_TRUE(done(small->refresh()));
    EXPECT_TRUE(done(small->create(qcow2("q", kGiB))));
    EXPECT_TRUE(done(small->volume("q")->erase()));
}

TEST_F(ErrorsTest, AReadOnlyVolumeIsReadAndNotWritten) {
    const std::string volume = lab().extra_volume("it-read-only", {});
    const std::string mounted = lab().mount_of(volume);
    std::error_code ignored;
    fs::remove_all(mounted + "/d", ignored);
    ASSERT_TRUE(shell("mkdir -p " + mounted + "/d && echo x > " + mounted + "/d/a").ok());
    set(volume, "features.read-only", "on");
    auto pool_over_it = start_over(volume);
    ASSERT_TRUE(done(pool_over_it));
    EXPECT_TRUE(pool_over_it->lists("d/a"));
    for (const auto& spec : {raw("b"), qcow2("d/b"), directory("e"), raw("f/g")})
        EXPECT_TRUE(refused(pool_over_it->create(spec), VIR_ERR_SYSTEM_ERROR, "ead-only"))
            << spec.name;
    EXPECT_TRUE(refused(pool_over_it->volume("d/a")->erase(), VIR_ERR_SYSTEM_ERROR, "ead-only"));
    EXPECT_TRUE(done(pool_over_it->refresh()));
    EXPECT_EQ(pool_over_it->volume_names(), (Names{"d", "d/a"}));
    set(volume, "features.read-only", "off");
    EXPECT_TRUE(comes_true([&] { return bool(pool_over_it->create(raw("b"))); }, seconds(10)));
    EXPECT_TRUE(done(pool_over_it->volume("b")->erase()));
}

TEST_F(ErrorsTest, RootSquashIsAPermissionDenied) {
    const std::string volume = lab().extra_volume("it-squashed", {});
    const std::string mounted = lab().mount_of(volume);
    ASSERT_TRUE(shell("mkdir -p " + mounted + "/closed " + mounted + "/open && chmod 755 " +
                      mounted + "/closed && chmod 777 " + mounted + "/open && echo x > " + mounted +
                      "/closed/a")
                    .ok());
    set(volume, "server.root-squash", "on");
    auto closed = start_over(volume, "/closed");
    ASSERT_TRUE(done(closed));
    EXPECT_TRUE(closed->lists("a"));
    for (const auto& spec : {raw("b"), qcow2("b"), directory("b"), raw("c/d")})
        EXPECT_TRUE(refused(closed->create(spec), VIR_ERR_SYSTEM_ERROR, "ermission")) << spec.name;
    EXPECT_TRUE(refused(closed->volume("a")->erase(), VIR_ERR_SYSTEM_ERROR, "ermission"));
    EXPECT_TRUE(done(closed->refresh()));
    EXPECT_EQ(closed->volume_names(), Names{"a"});
    EXPECT_TRUE(done(closed->stop()));
    // Where nobody may write, nobody's volumes can be made; the owner cannot be given away.
    PoolSpec open = spec();
    open.name += "-open";
    open.volume = volume;
    open.directory = "/open";
    auto opened = start(open);
    ASSERT_TRUE(done(opened));
    VolumeSpec owned = raw("owned");
    owned.owner = 4711;
    owned.mode = "0600";
    EXPECT_TRUE(refused(opened->create(owned), VIR_ERR_SYSTEM_ERROR, ""));
    EXPECT_TRUE(done(opened->refresh()));
    EXPECT_EQ(opened->volume_names(), Names{});
    EXPECT_TRUE(done(opened->stop()));
    set(volume, "server.root-squash", "off");
}

TEST_F(ErrorsTest, AVolumeThatAnotherHostDeletedAsksForARefresh) {
    fs::remove(fuse("there"));
    auto stale = pool().volume("there");
    ASSERT_TRUE(done(stale));
    EXPECT_TRUE(refused(stale->erase(), VIR_ERR_NO_STORAGE_VOL, "refresh"));
    EXPECT_TRUE(refused(stale->info(), VIR_ERR_NO_STORAGE_VOL, "refresh"));
}

TEST_F(ErrorsTest, AVolumeThatAnotherHostReplacedIsNotDeleted) {
    fs::remove(fuse("there"));
    write_file("there", "precious");
    const std::string theirs = gfid("there");
    auto stale = pool().volume("there");
    ASSERT_TRUE(done(stale));
    EXPECT_TRUE(refused(stale->erase(), VIR_ERR_RESOURCE_BUSY, "refresh"));
    EXPECT_EQ(gfid("there"), theirs);
    EXPECT_EQ(read_file("there"), "precious");
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(done(pool().volume("there")->erase()));
}

TEST_F(ErrorsTest, AVolumeWhoseDirectoryIsGoneAsksForARefresh) {
    ASSERT_TRUE(done(pool().create(raw("d/a"))));
    auto stale = pool().volume("d/a");
    fs::remove_all(fuse("d"));
    EXPECT_TRUE(refused(stale->erase(), VIR_ERR_NO_STORAGE_VOL, "refresh"));
}

TEST_F(ErrorsTest, APoolWhoseDirectoryIsGoneSaysSo) {
    PoolSpec doomed = spec();
    doomed.name += "-doomed";
    doomed.directory += "/doomed";
    auto defined = define(doomed);
    ASSERT_TRUE(done(defined));
    ASSERT_TRUE(done(defined->build()));
    ASSERT_TRUE(done(defined->start()));
    fs::remove(fuse("doomed"));
    EXPECT_TRUE(refused(defined->create(raw("a")), VIR_ERR_OPERATION_FAILED, "pool-build"));
    EXPECT_TRUE(refused(defined->refresh(), VIR_ERR_OPERATION_FAILED, "pool-build"));
    EXPECT_FALSE(exists("doomed"));
}

TEST_F(ErrorsTest, UnknownFlagsAreRefused) {
    EXPECT_FALSE(pool().create(raw("a"), 1u << 30));
    expect_unchanged();
}

}  // namespace sfg::test
