// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What strangers may put into a pool: nothing of it fails a refresh, and the log names it.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class HostileTest : public PoolTest {
  protected:
    void SetUp() override {
        PoolTest::SetUp();
        said_before_ = lab().said_by_libvirtd(1).size();
    }

    // What libvirtd has said in this test.
    std::string said() { return lab().said_by_libvirtd(1).substr(said_before_); }

    void expect_said(const std::string& part) {
        EXPECT_NE(said().find(part), std::string::npos) << part << " is not in: " << said();
    }

    // An image with a base, as qemu makes it.
    std::string image() {
        const std::string path = lab().scratch() + "/image";
        const Ran made =
            shell("qemu-img create -q -u -f qcow2 -F raw -b some/base " + path + " 1G");
        EXPECT_TRUE(made.ok()) << made.output;
        std::ostringstream bytes;
        bytes << std::ifstream(path, std::ios::binary).rdbuf();
        fs::remove(path);
        return bytes.str();
    }

    static std::string poked(std::string bytes, std::size_t offset, std::size_t width,
                             std::uint64_t value) {
        for (std::size_t i = 0; i < width; ++i)
            bytes[offset + i] = static_cast<char>(value >> (8 * (width - 1 - i)));
        return bytes;
    }

    std::string format_of(const std::string& name) {
        const auto found = pool().volume(name);
        EXPECT_TRUE(done(found)) << name;
        return found ? XmlText(*found->xml()).at("//target/format/@type") : "";
    }

    std::size_t said_before_ = 0;
};

struct Field {
    const char* name;
    std::size_t offset;
    std::size_t width;
    std::vector<std::uint64_t> values;
};

}  // namespace

// The header's fields, docs/interop/qcow2.txt of qemu.
TEST_F(HostileTest, AHeaderWithAWrongFieldIsListedAndNamed) {
    const std::uint64_t all = ~0ull;
    const std::vector<Field> fields = {
        {"version", 4, 4, {0, 1, 4, 0xffffffff}},
        {"backing_file_offset", 8, 8, {1, 65535, 1ull << 40, all}},
        {"backing_file_size", 16, 4, {1024, 65536, 0xffffffff}},
        {"cluster_bits", 20, 4, {0, 8, 22, 31, 63, 64, 0xffffffff}},
        {"size", 24, 8, {1ull << 62, 1ull << 63, all}},
        {"crypt_method", 32, 4, {3, 0xffffffff}},
        {"l1_size", 36, 4, {0xffffffff}},
        {"l1_table_offset", 40, 8, {1, all}},
        {"refcount_table_offset", 48, 8, {1, all}},
        {"nb_snapshots", 60, 4, {0xffffffff}},
        {"snapshots_offset", 64, 8, {all}},
        {"incompatible_features", 72, 8, {1ull << 5, 1ull << 63, all}},
        {"refcount_order", 96, 4, {7, 32, 0xffffffff}},
        {"header_length", 100, 4, {0, 71, 105, 0x10000, 0xffffffff}},
        {"extension_length", 116, 4, {0x10000, 0xffffffff}},
    };
    const std::string good = image();
    write_file("good", good);
    Names names;
    for (const auto& field : fields)
        for (const auto value : field.values) {
            const std::string name = std::string(field.name) + "-" + std::to_string(value);
            names.push_back(name);
            write_file(name, poked(good, field.offset, field.width, value));
        }
    ASSERT_TRUE(done(pool().refresh()));
    for (const auto& name : names) {
        const auto volume = pool().volume(name);
        ASSERT_TRUE(done(volume)) << name;
        EXPECT_TRUE(done(volume->xml())) << name;
        EXPECT_TRUE(done(volume->info())) << name;
    }
    // Of those that cannot be right at all, each is named.
    for (const char* name : {"cluster_bits-0", "cluster_bits-63", "backing_file_size-1024",
                             "header_length-0", "refcount_order-7", "crypt_method-3"}) {
        expect_said("'" + std::string(name) + "' has a damaged or unknown header");
        EXPECT_FALSE(XmlText(*pool().volume(name)->xml()).has("/volume/backingStore")) << name;
    }
    EXPECT_TRUE(XmlText(*pool().volume("good")->xml()).has("/volume/backingStore"));
    // The pool goes on.
    EXPECT_TRUE(done(pool().create(qcow2("new"))));
    for (const auto& name : names) EXPECT_TRUE(done(pool().volume(name)->erase())) << name;
}

TEST_F(HostileTest, AnImageThatIsCutOffAnywhereIsListed) {
    const std::string good = image();
    Names names{"empty"};
    write_file("empty", "");
    for (const std::size_t length :
         {1, 3, 4, 7, 8, 20, 71, 72, 103, 104, 111, 112, 130, 511, 512}) {
        names.push_back("cut-" + std::to_string(length));
        write_file(names.back(), good.substr(0, length));
    }
    std::sort(names.begin(), names.end());
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), names);
}

TEST_F(HostileTest, RandomDamageNeverFailsARefresh) {
    const std::string good = image();
    std::mt19937 random(20240611);
    for (int i = 0; i < 200; ++i) {
        std::string bad = good;
        for (int hits = 0; hits < 8; ++hits) bad[random() % 256] = static_cast<char>(random());
        bad.replace(0, 4, "QFI\xfb");
        write_file("r" + std::to_string(i), bad);
    }
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names().size(), 200u);
    for (const auto& name : pool().volume_names()) EXPECT_TRUE(done(pool().volume(name)->xml()));
}

TEST_F(HostileTest, TheFuzzersCorpusNeverFailsARefresh) {
    std::size_t count = 0;
    for (const auto& entry :
         fs::recursive_directory_iterator(SFG_SOURCE_DIR "/tests/fuzz/corpus")) {
        if (!entry.is_regular_file()) continue;
        std::ostringstream bytes;
        bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
        write_file("c" + std::to_string(count++), bytes.str());
    }
    ASSERT_GT(count, 0u);
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names().size(), count);
}

TEST_F(HostileTest, OtherFormatsThatAreDamagedAreListed) {
    const std::vector<std::pair<std::string, std::string>> starts = {
        {"vmdk", "KDMV"},
        {"vdi", std::string(64, ' ') + "\x7f\x10\xda\xbe"},
        {"qed", std::string("QED\0", 4)},
        {"vhd", "conectix"},
        {"luks", "LUKS\xba\xbe"},
        {"cow", "OOOM"},
        {"ploop", "WithoutFreeSpace"},
        {"bochs", "Bochs Virtual HD Image"},
        {"qcow", std::string("QFI\xfb\0\0\0\1", 8)}};
    std::mt19937 random(20240612);
    for (const auto& [name, magic] : starts) {
        write_file(name + "-short", magic);
        std::string zeros = magic;
        zeros.resize(70000, '\0');
        write_file(name + "-zeros", zeros);
        std::string ones = magic;
        ones.resize(70000, '\xff');
        write_file(name + "-ones", ones);
        std::string noise = magic;
        while (noise.size() < 70000) noise += static_cast<char>(random());
        write_file(name + "-noise", noise);
    }
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names().size(), starts.size() * 4);
    for (const auto& name : pool().volume_names())
        EXPECT_TRUE(done(pool().volume(name)->xml())) << name;
}

TEST_F(HostileTest, ABackingNameThatIsNoTextDoesNotBreakTheDocument) {
    std::string bytes = image();
    const auto at = bytes.find("some/base");
    ASSERT_NE(at, std::string::npos);
    for (const auto& [name, evil] :
         std::vector<std::pair<std::string, std::string>>{{"control", "so\x01me\nbas"},
                                                          {"latin", "s\xf6me/b\xe4se"},
                                                          {"nul", std::string("s\0me/base", 9)},
                                                          {"xml", "<a>&]]>'\""}}) {
        std::string changed = bytes;
        changed.replace(at, 9,
                        evil.substr(0, 9).append(9 - std::min<std::size_t>(9, evil.size()), 'x'));
        write_file(name, changed);
    }
    ASSERT_TRUE(done(pool().refresh()));
    for (const char* name : {"control", "latin", "nul", "xml"}) {
        const auto volume = pool().volume(name);
        ASSERT_TRUE(done(volume)) << name;
        const auto xml = volume->xml();
        ASSERT_TRUE(done(xml)) << name;
        EXPECT_EQ(XmlText(*xml).at("/volume/name"), name) << *xml;
    }
}

TEST_F(HostileTest, ARawVolumeStaysRawWhateverAGuestWrites) {
    ASSERT_TRUE(done(pool().create(raw("disk", 4 * kMiB))));
    const std::string path = lab().scratch() + "/evil";
    ASSERT_TRUE(shell("qemu-img create -q -u -f qcow2 -F raw -b /etc/shadow " + path +
                      " 8M && dd conv=notrunc if=" + path + " of=" + quoted(fuse("disk")))
                    .ok());
    // The same file as one of nobody's making, to see that the header is a good one.
    ASSERT_TRUE(shell("cp " + path + " " + quoted(fuse("foreign"))).ok());
    fs::remove(path);
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(format_of("foreign"), "qcow2");
    EXPECT_EQ(format_of("disk"), "raw");
    const XmlText xml(*pool().volume("disk")->xml());
    EXPECT_FALSE(xml.has("/volume/backingStore"));
    EXPECT_EQ(xml.number("/volume/capacity"), 4 * kMiB);
    // And another host, that never saw it before, says the same.
    Pool other = pool_on(2);
    EXPECT_EQ(XmlText(*other.volume("disk")->xml()).at("//target/format/@type"), "raw");
}

TEST_F(HostileTest, LinksAreVolumesOnlyInsideThePool) {
    ASSERT_TRUE(done(pool().create(raw("d/real", 5 * kMiB))));
    write_file("../outside-" + pool_name(), "not for this pool");
    const std::string outside = "outside-" + pool_name();
    auto link = [&](const std::string& target, const std::string& name) {
        fs::create_symlink(target, fuse(name));
    };
    link("d/real", "inside");
    link("real", "d/beside");
    link("d", "directory");
    link("../" + outside, "up");
    link("../../../../../../etc/passwd", "far-up");
    link("/etc/passwd", "absolute");
    link("/", "root");
    link("nowhere", "dangling");
    link("loop", "loop");
    link("loop-b", "loop-a");
    link("loop-a", "loop-b");
    link(".", "dot");
    link("..", "dotdot");
    link(std::string(4000, 'x'), "long");
    ASSERT_TRUE(done(pool().refresh()));
    const auto names = pool().volume_names();
    for (const char* name : {"d", "d/real", "inside", "d/beside"})
        EXPECT_TRUE(pool().lists(name)) << name;
    if (const auto inside = pool().volume("inside")) {
        EXPECT_EQ(inside->info()->capacity, 5 * kMiB);
    }
    for (const char* name : {"up", "far-up", "absolute", "root", "dangling", "loop", "loop-a",
                             "loop-b", "dotdot", "long"}) {
        EXPECT_FALSE(pool().lists(name)) << name;
        expect_said("the link '" + std::string(name) + "' is left out");
    }
    // A link to a directory is not looked into: it may lead up.
    for (const auto& name : names) {
        EXPECT_FALSE(name.starts_with("directory/")) << name;
        EXPECT_FALSE(name.starts_with("dot/")) << name;
    }
    fs::remove(fuse("../" + outside));
}

TEST_F(HostileTest, DeletingALinkKeepsWhatItLeadsTo) {
    ASSERT_TRUE(done(pool().create(raw("real"))));
    fs::create_symlink("real", fuse("link"));
    ASSERT_TRUE(done(pool().refresh()));
    auto volume = pool().volume("link");
    ASSERT_TRUE(done(volume));
    EXPECT_TRUE(done(volume->erase()));
    EXPECT_FALSE(exists("link"));
    EXPECT_TRUE(exists("real"));
}

TEST_F(HostileTest, ALinkInsideThePoolIsABase) {
    ASSERT_TRUE(done(pool().create(qcow2("cache/real", 3 * kGiB))));
    fs::create_symlink("cache/real", fuse("link"));
    ASSERT_TRUE(done(pool().refresh()));
    auto made = pool().create(overlay("i/vda", "link"));
    ASSERT_TRUE(done(made));
    EXPECT_EQ(made->info()->capacity, 3 * kGiB);
    // The file itself is named, as a link means another thing over FUSE.
    EXPECT_EQ(XmlText(*made->xml()).at("//backingStore/path"), uri("cache/real"));
}

TEST_F(HostileTest, ALinkOutOfThePoolIsNoBase) {
    fs::create_symlink("/etc/passwd", fuse("absolute"));
    fs::create_symlink("../../../../../../../etc/passwd", fuse("up"));
    for (const char* base : {"absolute", "up"})
        EXPECT_TRUE(refused(pool().create(overlay("a", base, "raw")), VIR_ERR_NO_STORAGE_VOL))
            << base;
    EXPECT_FALSE(exists("a"));
}

TEST_F(HostileTest, NothingIsMadeThroughALink) {
    const std::string outside = "outside-" + pool_name();
    fs::create_directory(fuse("../" + outside));
    fs::create_symlink("../" + outside, fuse("way"));
    fs::create_symlink("nowhere", fuse("dangling"));
    EXPECT_TRUE(refused(pool().create(raw("way/a")), VIR_ERR_INVALID_ARG, "not a directory"));
    EXPECT_TRUE(refused(pool().create(raw("dangling")), VIR_ERR_STORAGE_VOL_EXIST));
    EXPECT_TRUE(fs::is_empty(fuse("../" + outside)));
    EXPECT_FALSE(exists("nowhere"));
    fs::remove(fuse("../" + outside));
}

TEST_F(HostileTest, NamesThatCannotBeVolumesAreLeftOutAndLoggedEscaped) {
    const Names bad = {"a\nb",     "tab\t",     "\x01",    "bell\x07",   "\x7f",
                       "\xff\xfe", "latin\xf6", "cut\xc3", "esc\x1b[31m"};
    for (const auto& name : bad) write_file(name, "x");
    fs::create_directory(fuse("dir\x01"));
    write_file("dir\x01/a", "x");
    write_file("good", "x");
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), Names{"good"});
    const std::string log = said();
    for (const char* shown :
         {"a\\x0ab", "tab\\x09", "\\x01", "\\xff\\xfe", "latin\\xf6", "dir\\x01", "esc\\x1b[31m"})
        EXPECT_NE(log.find("'" + std::string(shown) + "' cannot be a volume's name"),
                  std::string::npos)
            << shown;
    EXPECT_EQ(log.find("\x1b[31m"), std::string::npos);
    EXPECT_EQ(log.find('\x01'), std::string::npos);
}

TEST_F(HostileTest, WhatIsNeitherFileNorDirectoryIsLeftOut) {
    ASSERT_EQ(mkfifo(fuse("fifo").c_str(), 0666), 0);
    ASSERT_EQ(mknod(fuse("null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
    ASSERT_EQ(mknod(fuse("socket").c_str(), S_IFSOCK | 0666, 0), 0);
    fs::create_symlink("fifo", fuse("link"));
    write_file("good", "x");
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), Names{"good"});
    for (const char* base : {"fifo", "null", "socket"})
        EXPECT_TRUE(refused(pool().create(overlay("a", base, "raw")), VIR_ERR_INVALID_ARG)) << base;
}

TEST_F(HostileTest, DeepDirectoriesAreBounded) {
    std::string path = "deep";
    fs::create_directory(fuse(path));
    for (int i = 0; i < 100; ++i) {
        path += "/d";
        fs::create_directory(fuse(path));
    }
    write_file("good", "x");
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(pool().lists("good"));
    EXPECT_FALSE(pool().lists(path));
    expect_said("nested too deep");
}

TEST_F(HostileTest, AFileThatNobodyMayReadIsListed) {
    write_file("closed", "secret");
    ASSERT_EQ(chmod(fuse("closed").c_str(), 0), 0);
    fs::create_directory(fuse("shut"));
    ASSERT_EQ(chmod(fuse("shut").c_str(), 0), 0);
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), (Names{"closed", "shut"}));
}

TEST_F(HostileTest, FilesThatComeAndGoDuringARefreshDoNotFailIt) {
    for (int i = 0; i < 50; ++i) write_file("stays/" + std::to_string(i), "x");
    std::atomic<bool> stop{false};
    std::thread meddler([&] {
        for (int i = 0; !stop; ++i) {
            const std::string name = fuse("comes-" + std::to_string(i % 20));
            std::error_code ignored;
            fs::create_directory(name, ignored);
            std::ofstream(name + "/a") << "x";
            fs::remove_all(name, ignored);
        }
    });
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(done(pool().refresh()));
    stop = true;
    meddler.join();
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(pool().lists("stays/49"));
}

}  // namespace sfg::test
