// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Each call as people make it: by virsh and by libvirt's Python module.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/data_map.hpp"
#include "tests/support/pool_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

class ToolsTest : public PoolTest {
  protected:
    // One of virsh's commands on a volume of the pool.
    Ran virsh(const std::string& command, const std::string& volume, const std::string& words) {
        return shell("virsh -q -c " + quoted(lab().path("LIBVIRT_URI")) + " " + command +
                     " --pool " + quoted(pool_name()) + " " + quoted(volume) + " " + words);
    }

    static std::string checksum(const std::string& path) {
        return shell("sha256sum < " + quoted(path)).output;
    }
};

}  // namespace

TEST_F(ToolsTest, VirshUploadsAndDownloads) {
    ASSERT_TRUE(make_sparse(local("from"), 6 * kMiB + 33, {{0, 6 * kMiB + 33}}));
    ASSERT_TRUE(done(pool().create(raw("d/a", 6 * kMiB + 33))));
    const Ran sent = virsh("vol-upload", "d/a", quoted(local("from")));
    ASSERT_TRUE(sent.ok()) << sent.output;
    EXPECT_EQ(checksum(fuse("d/a")), checksum(local("from")));
    const Ran fetched = virsh("vol-download", "d/a", quoted(local("to")));
    ASSERT_TRUE(fetched.ok()) << fetched.output;
    EXPECT_EQ(checksum(local("to")), checksum(local("from")));
    const Ran part =
        virsh("vol-download", "d/a", quoted(local("part")) + " --offset 777 --length 1048577");
    ASSERT_TRUE(part.ok()) << part.output;
    EXPECT_EQ(
        checksum(local("part")),
        shell("dd if=" + quoted(local("from")) +
              " iflag=skip_bytes,count_bytes skip=777 count=1048577 bs=1M status=none | sha256sum")
            .output);
}

TEST_F(ToolsTest, VirshUploadsAndDownloadsWithHoles) {
    ASSERT_TRUE(make_sparse(local("from"), 64 * kMiB, {{kMiB, kMiB}, {50 * kMiB, 8192}}));
    ASSERT_TRUE(done(pool().create(raw("a", 64 * kMiB))));
    const Ran sent = virsh("vol-upload", "a", quoted(local("from")) + " --sparse");
    ASSERT_TRUE(sent.ok()) << sent.output;
    EXPECT_EQ(to_text(data_map(fuse("a"))), to_text(data_map(local("from"))));
    const Ran fetched = virsh("vol-download", "a", quoted(local("to")) + " --sparse");
    ASSERT_TRUE(fetched.ok()) << fetched.output;
    EXPECT_EQ(to_text(data_map(local("to"))), to_text(data_map(local("from"))));
    EXPECT_EQ(checksum(local("to")), checksum(local("from")));
}

TEST_F(ToolsTest, VirshWipes) {
    write_file("a", noise(kMiB));
    ASSERT_TRUE(done(pool().refresh()));
    const Ran random = virsh("vol-wipe", "a", "--algorithm random");
    EXPECT_TRUE(random.ok()) << random.output;
    // A mount may show within a second what it has shown before.
    const auto stored = [&] { return shell("cat " + quoted(brick("a"))).output; };
    EXPECT_FALSE(same_bytes(stored(), noise(kMiB)));
    const Ran zero = virsh("vol-wipe", "a", "");
    EXPECT_TRUE(zero.ok()) << zero.output;
    EXPECT_TRUE(same_bytes(stored(), std::string(kMiB, '\0')));
    const Ran other = virsh("vol-wipe", "a", "--algorithm dod");
    EXPECT_FALSE(other.ok());
    EXPECT_NE(other.output.find("zero, trim and random"), std::string::npos) << other.output;
}

TEST_F(ToolsTest, VirshResizes) {
    ASSERT_TRUE(done(pool().create(raw("r", kMiB))));
    ASSERT_TRUE(done(pool().create(qcow2("q", kMiB))));
    for (const char* name : {"r", "q"}) {
        const Ran grown = virsh("vol-resize", name, "3M");
        EXPECT_TRUE(grown.ok()) << grown.output;
        EXPECT_EQ(pool().volume(name)->info()->capacity, 3 * kMiB) << name;
    }
    const Ran shrunk = virsh("vol-resize", "r", "2M --shrink");
    EXPECT_TRUE(shrunk.ok()) << shrunk.output;
    EXPECT_EQ(fs::file_size(fuse("r")), 2 * kMiB);
}

TEST_F(ToolsTest, VirshClones) {
    ASSERT_TRUE(done(pool().create(qcow2("base", 4 * kMiB))));
    ASSERT_TRUE(done(pool().create(overlay("d/a", "base"))));
    const Ran cloned = virsh("vol-clone", "d/a", "e/b");
    ASSERT_TRUE(cloned.ok()) << cloned.output;
    const XmlText xml(*pool().volume("e/b")->xml());
    EXPECT_EQ(xml.at("/volume/target/format/@type"), "qcow2");
    EXPECT_EQ(xml.at("/volume/backingStore/path"), uri("base"));
    const Ran same = shell("qemu-img compare " + quoted(fuse("d/a")) + " " + quoted(fuse("e/b")));
    EXPECT_TRUE(same.ok()) << same.output;
}

TEST_F(ToolsTest, PythonDoesAllOfIt) {
    const std::string script = R"(
import hashlib, libvirt, sys
connection = libvirt.open(sys.argv[1])
pool = connection.storagePoolLookupByName(sys.argv[2])
volume = pool.createXML("<volume><name>p/a</name><capacity>3000001</capacity><allocation>0"
                        "</allocation><target><format type='raw'/></target></volume>")
content = bytes(i * 7 % 251 for i in range(3000001))

def upload(bytes, offset):
    left = [bytes]
    def more(stream, most, opaque):
        some, left[0] = left[0][:most], left[0][most:]
        return some
    stream = connection.newStream()
    volume.upload(stream, offset, len(bytes))
    stream.sendAll(more, None)
    stream.finish()

def download(offset, length):
    got = []
    stream = connection.newStream()
    volume.download(stream, offset, length)
    stream.recvAll(lambda stream, some, opaque: got.append(some), None)
    stream.finish()
    return b"".join(got)

upload(content, 0)
assert download(0, 0) == content
upload(b"in the middle", 1234567)
content = content[:1234567] + b"in the middle" + content[1234580:]
assert download(1234000, 5000) == content[1234000:1239000]
assert hashlib.sha256(download(0, 0)).digest() == hashlib.sha256(content).digest()

clone = pool.createXMLFrom("<volume><name>p/b</name><capacity>3000001</capacity><target>"
                           "<format type='raw'/></target></volume>", volume)
clone.resize(4000000)
assert clone.info()[1] == 4000000, clone.info()
volume.wipe()
assert download(0, 0) == bytes(len(content))
volume.wipePattern(libvirt.VIR_STORAGE_VOL_WIPE_ALG_RANDOM)
assert download(0, 0) != bytes(len(content))
try:
    stream = connection.newStream()
    volume.upload(stream, 0, 0)
    volume.delete()
    raise AssertionError("deleted while it is uploaded to")
except libvirt.libvirtError as error:
    assert error.get_error_code() == libvirt.VIR_ERR_RESOURCE_BUSY, error
stream.finish()
volume.delete()
clone.delete()
print("all done")
)";
    const Ran ran = run({"/usr/bin/python3", "-c", script, lab().path("LIBVIRT_URI"), pool_name()});
    EXPECT_TRUE(ran.ok()) << ran.output;
    EXPECT_NE(ran.output.find("all done"), std::string::npos) << ran.output;
    EXPECT_FALSE(exists("p"));
}

}  // namespace sfg::test
