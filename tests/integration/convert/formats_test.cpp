// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What comes out of conversions.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/convert/convert_lab.hpp"

namespace sfg::test {
namespace {

std::uint64_t bytes_on_disk(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

std::uint64_t length_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return static_cast<std::uint64_t>(status.st_size);
}

std::string info_of(const std::string& path) {
    return run({"qemu-img", "info", path}).output;
}

TEST_F(ConvertTest, RawToQcow2) {
    make_raw("source", "64M");
    expect_converted(simple_job("raw", "source", "qcow2", "target"));
    expect_same("raw", "source", "qcow2", "target");
    EXPECT_LT(bytes_on_disk(seen("target")), 4U << 20);
    EXPECT_EQ(length_of(seen("target")) % 65536, 0U);
    const Ran checked = run({"qemu-img", "check", seen("target")});
    EXPECT_TRUE(checked.ok()) << checked.output;
}

TEST_F(ConvertTest, AnImageWithoutDataIsWholeClustersLong) {
    // qemu-img leaves it at the end of its last table, where gfapi cannot read it (qemu 937).
    in_shell("truncate -s 1M source");
    expect_converted(simple_job("raw", "source", "qcow2", "target"));
    EXPECT_EQ(length_of(seen("target")) % 65536, 0U);
    expect_same("raw", "source", "qcow2", "target");
}

TEST_F(ConvertTest, Qcow2ToRawKeepsHoles) {
    make_raw("raw", "64M");
    qemu_img("convert -O qcow2 raw source");
    expect_converted(simple_job("qcow2", "source", "raw", "target"));
    expect_same("raw", "raw", "raw", "target");
    EXPECT_EQ(length_of(seen("target")), 64U << 20);
    EXPECT_LT(bytes_on_disk(seen("target")), 4U << 20);
}

TEST_F(ConvertTest, OtherFormatsComeAndGo) {
    make_raw("raw", "64M");
    for (const char* const format : {"vmdk", "vdi", "vhdx", "qcow", "vpc -o force_size=on"}) {
        const std::string name = std::string(format).substr(0, std::string(format).find(' '));
        SCOPED_TRACE(name);
        qemu_img("convert -O " + std::string(format) + " raw source-" + name);
        expect_converted(simple_job(name, "source-" + name, "qcow2", "target"));
        expect_same("raw", "raw", "qcow2", "target");
        ConvertJob back = simple_job("qcow2", "target", name, "back");
        if (name == "vpc") back.target.options = {{"force_size", "on"}};
        expect_converted(back);
        expect_same("raw", "raw", name, "back");
    }
}

TEST_F(ConvertTest, AChainOfThreeBecomesOneImage) {
    make_raw("base", "64M");
    qemu_img("create -q -f qcow2 -b base -F raw middle");
    qemu_img("create -q -f qcow2 -b middle -F qcow2 top");
    in_shell(
        "qemu-io -c 'write -P 5 1M 300k' middle && qemu-io -c 'write -P 7 1100k 90k' "
        "-c 'write -z 7340032 65536' top");
    ConvertJob one = simple_job("qcow2", "top", "qcow2", "target");
    one.source.push_back({"qcow2", file("middle")});
    one.source.push_back({"raw", file("base")});
    expect_converted(one);
    expect_same("qcow2", "top", "qcow2", "target");
    EXPECT_EQ(info_of(seen("target")).find("backing file"), std::string::npos);
}

TEST_F(ConvertTest, FilesOfThisHostCanBeTheSource) {
    ASSERT_TRUE(shell("cd " + local_ +
                      " && truncate -s 16M base && dd if=/dev/urandom of=base "
                      "bs=64k seek=5 count=9 conv=notrunc status=none && "
                      "qemu-img create -q -f qcow2 -b base -F raw top && "
                      "qemu-io -c 'write -P 9 3M 100k' top")
                    .ok());
    make_empty("target");
    ConvertJob one = job();
    one.source = {{"qcow2", {std::nullopt, local_ + "/top", ""}},
                  {"raw", {std::nullopt, local_ + "/base", ""}}};
    one.target.format = "raw";
    one.target.file = file("target");
    expect_converted(one);
    expect_same("qcow2", local_ + "/top", "raw", "target");
}

TEST_F(ConvertTest, FromOneGlusterVolumeToAnother) {
    ConvertJob one = job(2);
    make_raw("source", "32M");
    make_empty("target", "second");
    one.source = {{"raw", file("source")}};
    one.target.format = "qcow2";
    one.target.file = file("target", 1);
    expect_converted(one);
    expect_same("raw", "source", "qcow2", "target", "", "second");
    in_shell("rm -rf *", "second");
}

TEST_F(ConvertTest, AMadeImageIsFilled) {
    make_raw("source", "64M");
    qemu_img("create -q -f qcow2 -o cluster_size=2M,compat=0.10 target 80M");
    ConvertJob one = job();
    one.source = {{"raw", file("source")}};
    one.target.format = "qcow2";
    one.target.file = file("target");
    one.target.made = true;
    expect_converted(one);
    EXPECT_NE(info_of(seen("target")).find("virtual size: 80 MiB"), std::string::npos);
    in_shell("truncate -s 80M source");
    expect_same("raw", "source", "qcow2", "target");
}

TEST_F(ConvertTest, AMadeImageWithBasesHidesThem) {
    make_raw("source", "64M");
    make_raw("base", "64M");
    in_shell("qemu-io -f raw -c 'write -P 3 10M 1M' base");  // where the source has zeros
    qemu_img("create -q -f qcow2 -b base -F raw target");
    ConvertJob one = job();
    one.source = {{"raw", file("source")}};
    one.target.format = "qcow2";
    one.target.file = file("target");
    one.target.made = true;
    one.target.bases = {{"raw", file("base")}};
    expect_converted(one);
    expect_same("raw", "source", "qcow2", "target");
    EXPECT_NE(info_of(seen("target")).find("backing file: base"), std::string::npos);
}

TEST_F(ConvertTest, OptionsAreKept) {
    make_raw("source", "64M");
    ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    one.target.options = {{"compat", "1.1"}, {"cluster_size", "2097152"}, {"lazy_refcounts", "on"}};
    expect_converted(one);
    expect_same("raw", "source", "qcow2", "target");
    const std::string info = info_of(seen("target"));
    EXPECT_NE(info.find("cluster_size: 2097152"), std::string::npos) << info;
    EXPECT_NE(info.find("lazy refcounts: true"), std::string::npos) << info;
    EXPECT_EQ(length_of(seen("target")) % 2097152, 0U);

    one = simple_job("raw", "source", "qcow2", "old");
    one.target.options = {{"compat", "0.10"}, {"preallocation", "metadata"}};
    expect_converted(one);
    expect_same("raw", "source", "qcow2", "old");
    EXPECT_NE(info_of(seen("old")).find("compat: 0.10"), std::string::npos);
    EXPECT_GT(length_of(seen("old")), 64U << 20);
    EXPECT_LT(bytes_on_disk(seen("old")), 8U << 20);

    for (const char* const format : {"raw", "qcow2"}) {
        one = simple_job("raw", "source", format, std::string("full-") + format);
        one.target.options = {{"preallocation", "falloc"}};
        expect_converted(one);
        const std::string path = std::string("full-") + format;
        expect_same("raw", "source", format, path);
        EXPECT_GE(bytes_on_disk(seen(path)), 64U << 20);
    }
    one = simple_job("raw", "source", "qcow2", "wrong");
    one.target.options = {{"no_such_option", "on"}};
    const Error error = expect_refused(one);
    EXPECT_NE(error.message().find("no_such_option"), std::string::npos) << error.message();
}

TEST_F(ConvertTest, BigClustersFitTheMemoryLimit) {
    // The biggest tables that a chain has: 2 MiB clusters, terabytes, data all over it.
    for (const char* const name : {"base", "top"}) {
        qemu_img(std::string("create -q -f qcow2 -o cluster_size=2M ") +
                 (std::string(name) == "top" ? "-b base -F qcow2 " : "") + name + " 8T");
        for (int at = 0; at < 8; ++at)
            in_shell("qemu-io -c 'write -P 4 " + std::to_string(at * 1023) + "G 64k' " + name);
    }
    ConvertJob one = simple_job("qcow2", "top", "qcow2", "target");
    one.source.push_back({"qcow2", file("base")});
    one.target.options = {{"cluster_size", "2M"}};
    expect_converted(one);
    expect_same("qcow2", "top", "qcow2", "target");
}

TEST_F(ConvertTest, LocksOfTheCallerAreNotInTheWay) {
    make_raw("source", "16M");
    ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    std::vector<int> held;
    for (const char* const name : {"source", "target"}) {
        const int fd = open(seen(name).c_str(), O_RDWR | O_CLOEXEC);
        struct flock lock {};
        lock.l_type = F_WRLCK;
        ASSERT_EQ(fcntl(fd, F_SETLK, &lock), 0);
        held.push_back(fd);
    }
    expect_converted(one);
    // Closing any descriptor of the file would let go of the lock, so it is compared afterwards.
    for (const int fd : held) close(fd);
    expect_same("raw", "source", "qcow2", "target");
}

TEST_F(ConvertTest, AnEmptySourceGivesAnEmptyImage) {
    in_shell(": > source");
    expect_converted(simple_job("raw", "source", "qcow2", "target"));
    EXPECT_NE(info_of(seen("target")).find("virtual size: 0 B"), std::string::npos);
}

}  // namespace
}  // namespace sfg::test
