// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a hostile image, or a link put in the way, does not reach.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "driver/core/fd.hpp"
#include "tests/integration/convert/convert_lab.hpp"

namespace sfg::test {
namespace {

TEST_F(ConvertTest, AnotherFileInThePlaceIsRefused) {
    make_raw("source", "16M");
    ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    in_shell("mv source away && cp away source");
    Error error = expect_refused(one);
    EXPECT_EQ(error.kind(), ErrorKind::denied) << error.message();
    EXPECT_NE(error.message().find("is not the file it was"), std::string::npos);
    EXPECT_NE(error.message().find("source"), std::string::npos);

    one.source[0].file = file("source");
    in_shell("mv target gone && : > target");
    error = expect_refused(one);
    EXPECT_EQ(error.kind(), ErrorKind::denied) << error.message();
    struct stat status {};
    ASSERT_EQ(stat(seen("target").c_str(), &status), 0);
    EXPECT_EQ(status.st_size, 0);

    one.source[0].file = file("source");
    one.target.file = file("gone");
    in_shell("rm gone");
    error = expect_refused(one);
    EXPECT_EQ(error.kind(), ErrorKind::not_found) << error.message();
}

TEST_F(ConvertTest, LinksOnTheWayAreRefused) {
    in_shell("mkdir real");
    make_raw("real/source", "16M");
    const ConvertFile right = file("real/source");
    in_shell("ln -s real linked && ln -s real/source link && ln -s /etc/shadow out");
    ConvertJob one = simple_job("raw", "real/source", "qcow2", "target");
    for (const char* const path : {"linked/source", "link", "out"}) {
        one.source[0].file = {0, directory_ + "/" + path, right.gfid};
        const Error error = expect_refused(one);
        EXPECT_EQ(error.kind(), ErrorKind::denied) << path;
        EXPECT_NE(error.message().find("symbolic link"), std::string::npos) << error.message();
    }
    // On this host: the last component.
    ASSERT_EQ(symlink("/etc/passwd", (local_ + "/link").c_str()), 0);
    one.source[0].file = {std::nullopt, local_ + "/link", ""};
    const Error error = expect_refused(one);
    EXPECT_EQ(error.kind(), ErrorKind::denied) << error.message();
}

// A logical volume's path is a link, and what it leads to by then is nobody's business.
TEST_F(ConvertTest, AFileThatIsHandedOverIsReadWhereverItsPathLeads) {
    make_raw("source", "16M");
    const std::string local = local_ + "/image";
    ASSERT_TRUE(shell("cp " + seen("source") + " " + local).ok());
    const Fd open_file(open(local.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(open_file.ok());
    ASSERT_EQ(symlink("/etc/passwd", (local_ + "/link").c_str()), 0);
    ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    one.source[0].file = {std::nullopt, local_ + "/link", "", open_file.get()};
    expect_converted(one);
    expect_same("raw", "source", "qcow2", "target");
}

TEST_F(ConvertTest, WhatIsNoFileIsRefused) {
    make_raw("source", "16M");
    ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    ASSERT_TRUE(shell("mkfifo " + local_ + "/fifo").ok());
    for (const std::string& path : {local_ + "/fifo", local_, std::string("/dev/zero")}) {
        one.source[0].file = {std::nullopt, path, ""};
        const Error error = expect_refused(one);
        EXPECT_EQ(error.kind(), ErrorKind::invalid) << path << ": " << error.message();
    }
    one.source[0].file = file("source");
    in_shell("echo full > target");
    const Error error = expect_refused(one);
    EXPECT_EQ(error.kind(), ErrorKind::invalid) << error.message();
}

TEST_F(ConvertTest, ABaseThatOnlyTheHeaderNamesIsNotRead) {
    qemu_img("create -q -f qcow2 source 1M");
    // As a tenant would send it: no format of the base, which qemu-img no longer writes itself.
    in_shell("qemu-img rebase -u -f qcow2 -b /etc/passwd -F raw source");
    expect_converted(simple_job("qcow2", "source", "raw", "target"));
    in_shell("truncate -s 1M zeros && cmp zeros target");
}

TEST_F(ConvertTest, FilesThatAnImageNamesAreNotReached) {
    // What qemu opens without being told: extents of vmdk, an external data file.
    in_shell(
        "printf '%s\\n' '# Disk DescriptorFile' version=1 CID=12345678 parentCID=ffffffff "
        "'createType=\"monolithicFlat\"' 'RW 2 FLAT \"/etc/passwd\" 0' "
        "ddb.adapterType=\\\"ide\\\" > source.vmdk");
    // The positive control: outside of the cage this is how a file leaks.
    in_shell("qemu-img convert -f vmdk -O raw source.vmdk leaked && grep -q root: leaked");
    Error error = expect_refused(simple_job("vmdk", "source.vmdk", "raw", "target"));
    EXPECT_NE(error.message().find("/etc/passwd"), std::string::npos) << error.message();
    in_shell("! grep -q root: target");

    ASSERT_TRUE(shell("truncate -s 1M " + local_ + "/data").ok());
    qemu_img("create -q -f qcow2 -o data_file=" + local_ + "/data,data_file_raw=on source 1M");
    error = expect_refused(simple_job("qcow2", "source", "raw", "target2"));
    EXPECT_NE(error.message().find("/data"), std::string::npos) << error.message();
}

// What a process in the place of qemu-img sees, by way of its error.
class ConvertCageTest : public ConvertTest {
  protected:
    std::string seen_inside(const std::string& commands, mode_t mode = 0600) {
        make_raw("source", "1M");
        ConvertJob one = simple_job("raw", "source", "qcow2", "target");
        chmod(seen("source").c_str(), mode);
        chmod(seen("target").c_str(), mode);
        replace_qemu_img("{ " + commands + "; } 2>&1 | tr '\\n' ' ' >&2; exit 1");
        return expect_refused(one).message();
    }
};

TEST_F(ConvertCageTest, HasARootOfItsOwn) {
    const std::string listed = seen_inside("echo /*; echo /etc/* /dev/* /proc/sys* /mnt*");
    EXPECT_NE(listed.find(" /usr"), std::string::npos) << listed;
    for (const char* const name : {"/home", "/var", "/root", "/tmp", "/run", "/etc/passwd",
                                   "/dev/kvm", "/dev/fuse", "/proc/sys ", "/sys"})
        EXPECT_EQ(listed.find(std::string(" ") + name), std::string::npos)
            << name << ": " << listed;
    const std::string written = seen_inside(
        "for f in /x /usr/x /etc/x /dev/x /proc/self/comm; do echo > $f && echo WROTE $f; done");
    EXPECT_EQ(written.find("WROTE"), std::string::npos) << written;
}

TEST_F(ConvertCageTest, HasNoNetworkAndNoOtherProcesses) {
    const std::string listed =
        seen_inside("cat /proc/self/net/dev; echo /proc/[0-9]*; echo pid $$");
    EXPECT_NE(listed.find(" lo:"), std::string::npos) << listed;
    EXPECT_EQ(listed.find("eth"), std::string::npos) << listed;
    EXPECT_NE(listed.find("pid 1"), std::string::npos) << listed;
    // The script, its braces, tr.
    EXPECT_EQ(listed.find("/proc/5"), std::string::npos) << listed;
}

TEST_F(ConvertCageTest, HasNoMountOfGluster) {
    const std::string mounts = seen_inside("cat /proc/self/mounts");
    EXPECT_EQ(mounts.find("glusterfs"), std::string::npos) << mounts;
    EXPECT_EQ(mounts.find(" /mnt"), std::string::npos) << mounts;
}

TEST_F(ConvertCageTest, IsRootWithoutPowersWhereFilesAreRoots) {
    const std::string status = seen_inside(
        "id -u; grep -E 'Cap(Eff|Prm|Bnd|Inh)|NoNewPrivs|Groups' /proc/self/status; env");
    EXPECT_NE(status.find("converting: 0 "), std::string::npos) << status;
    // CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
    for (const char* const set : {"CapEff", "CapPrm", "CapBnd"})
        EXPECT_NE(status.find(std::string(set) + ":\\x090000000000000006"), std::string::npos)
            << status;
    EXPECT_NE(status.find("NoNewPrivs:\\x091"), std::string::npos) << status;
    EXPECT_EQ(status.find("HOME"), std::string::npos) << status;
}

TEST_F(ConvertCageTest, IsAnUnprivilegedUserWhereFilesAllowIt) {
    const std::string status =
        seen_inside("id -u; grep -E 'Cap(Eff|Prm|Bnd)|NoNewPrivs' /proc/self/status", 0666);
    const std::string id = run({"id", "-u", "libvirt-qemu"}).output;
    EXPECT_NE(status.find("converting: " + id.substr(0, id.size() - 1) + " "), std::string::npos)
        << status;
    for (const char* const set : {"CapEff", "CapPrm", "CapBnd"})
        EXPECT_NE(status.find(std::string(set) + ":\\x090000000000000000"), std::string::npos)
            << status;

    tools_.users = {"no-such-user", "nobody"};
    EXPECT_NE(seen_inside("id -u", 0666).find("converting: 65534"), std::string::npos);
    // One of the files is enough to need root.
    make_raw("source", "1M");
    ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    chmod(seen("source").c_str(), 0644);
    replace_qemu_img("id -u >&2; exit 1");
    EXPECT_NE(expect_refused(one).message().find("converting: 0"), std::string::npos);
}

TEST_F(ConvertCageTest, ConvertsAsAnUnprivilegedUser) {
    make_raw("source", "16M");
    ConvertJob one = simple_job("raw", "source", "qcow2", "target");
    in_shell("chmod 644 source && chown libvirt-qemu target");
    expect_converted(one);
    expect_same("raw", "source", "qcow2", "target");
}

TEST_F(ConvertCageTest, HasLimits) {
    const std::string limits =
        seen_inside("cat /proc/self/limits | tr -s ' '; cut -d' ' -f19 /proc/self/stat");
    EXPECT_NE(limits.find("Max core file size 0 0"), std::string::npos) << limits;
    EXPECT_EQ(limits.find("Max address space unlimited"), std::string::npos) << limits;
    EXPECT_EQ(limits.find("Max cpu time unlimited"), std::string::npos) << limits;
}

TEST_F(ConvertCageTest, EndsWhatTakesTooMuchMemory) {
    const std::string said = seen_inside("dd if=/dev/urandom of=/dev/null bs=4G count=1");
    EXPECT_NE(said.find("memory exhausted"), std::string::npos) << said;
}

}  // namespace
}  // namespace sfg::test
