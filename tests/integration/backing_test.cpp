// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Backing chains: every way to name a base, how it is recorded and shown, and what is refused.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

// A server that no pool names. The loopback interface answers for all of 127/8; the port is one
// that glusterd does not listen on.
constexpr char kStranger[] = "127.66.6.6";
constexpr unsigned short kStrangersPort = 24666;

class BackingTest : public PoolTest {
  protected:
    static std::string stranger() {
        return std::string("gluster://") + kStranger + ":" + std::to_string(kStrangersPort) + "/";
    }

    void SetUp() override {
        PoolTest::SetUp();
        local_ = lab().scratch() + "/image_cache";
        fs::create_directories(local_);
    }

    void TearDown() override {
        fs::remove_all(local_);
        PoolTest::TearDown();
    }

    // What the image says of its base, by qemu.
    std::string recorded(const std::string& name) {
        const Ran info = shell("qemu-img info -U --output=json " + quoted(fuse(name)) +
                               " | sed -n 's/.*\"backing-filename\": \"\\(.*\\)\",*$/\\1/p'");
        return info.output.substr(0, info.output.find('\n'));
    }
    std::string recorded_format(const std::string& name) {
        const Ran info =
            shell("qemu-img info -U --output=json " + quoted(fuse(name)) +
                  " | sed -n 's/.*\"backing-filename-format\": \"\\(.*\\)\",*$/\\1/p'");
        return info.output.substr(0, info.output.find('\n'));
    }
    // What libvirt shows of it, at once and after a refresh.
    void expect_shown(const std::string& name, const std::string& path, const std::string& format) {
        for (const bool refreshed : {false, true}) {
            if (refreshed) {
                ASSERT_TRUE(done(pool().refresh()));
            }
            const XmlText xml(*pool().volume(name)->xml());
            EXPECT_EQ(xml.at("/volume/backingStore/path"), path);
            EXPECT_EQ(xml.at("/volume/backingStore/format/@type"), format);
        }
    }
    void expect_chain_opens(const std::string& name) {
        const Ran chain = shell("qemu-img info -U --backing-chain " + quoted(fuse(name)));
        EXPECT_TRUE(chain.ok()) << chain.output;
    }
    std::uint64_t capacity(const std::string& name) {
        return pool().volume(name)->info()->capacity;
    }

    std::string local_;
};

// Somebody who listens on an address, and whether anyone has come.
class Listener {
  public:
    Listener(const std::string& address, unsigned short port)
        : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        const int on = 1;
        setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(port);
        inet_pton(AF_INET, address.c_str(), &name.sin_addr);
        EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&name), sizeof(name)), 0)
            << address << ": " << errno;
        EXPECT_EQ(listen(socket_, 5), 0);
    }
    ~Listener() { close(socket_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    bool anyone_came() {
        pollfd polled{socket_, POLLIN, 0};
        return poll(&polled, 1, 1000) > 0;
    }

  private:
    int socket_;
};

}  // namespace

TEST_F(BackingTest, ANameBelowThePoolIsRecordedRelativeToTheImage) {
    ASSERT_TRUE(done(pool().create(qcow2("image_cache/base.v001", 3 * kGiB))));
    ASSERT_TRUE(done(pool().create(overlay("instances/u/vda", "image_cache/base.v001"))));
    EXPECT_EQ(recorded("instances/u/vda"), "../../image_cache/base.v001");
    EXPECT_EQ(recorded_format("instances/u/vda"), "qcow2");
    EXPECT_EQ(capacity("instances/u/vda"), 3 * kGiB);
    expect_shown("instances/u/vda", uri("image_cache/base.v001"), "qcow2");
    expect_chain_opens("instances/u/vda");

    ASSERT_TRUE(done(pool().create(overlay("image_cache/beside", "image_cache/base.v001"))));
    EXPECT_EQ(recorded("image_cache/beside"), "base.v001");
    ASSERT_TRUE(done(pool().create(overlay("top", "instances/u/vda"))));
    EXPECT_EQ(recorded("top"), "instances/u/vda");
    expect_chain_opens("top");
}

TEST_F(BackingTest, AKeyIsRecordedRelativeToo) {
    ASSERT_TRUE(done(pool().create(qcow2("cache/a b#1", kGiB))));
    const std::string key = pool().volume("cache/a b#1")->key();
    ASSERT_TRUE(done(pool().create(overlay("i/vda", key))));
    EXPECT_EQ(recorded("i/vda"), "../cache/a b#1");
    expect_shown("i/vda", key, "qcow2");
    expect_chain_opens("i/vda");
}

TEST_F(BackingTest, AKeyByAnotherNameOfTheHostIsTheSameVolume) {
    // Known by another pool of it, as the name alone proves nothing.
    PoolSpec by_name = spec();
    by_name.name += "-by-name";
    by_name.directory = "/it";
    by_name.hosts = {{"node1", 0}};
    ASSERT_TRUE(done(start(by_name)));
    ASSERT_TRUE(done(pool().create(qcow2("base", kGiB))));
    const std::string other = "gluster://node1/" + lab().volume() + directory_in_volume() + "/base";
    ASSERT_TRUE(done(pool().create(overlay("i/vda", other))));
    EXPECT_EQ(recorded("i/vda"), "../base");
}

TEST_F(BackingTest, AFusePathOfTheSameVolumeIsRecordedRelative) {
    ASSERT_TRUE(done(pool().create(qcow2("cache/base", kGiB))));
    ASSERT_TRUE(done(pool().create(overlay("i/vda", fuse("cache/base")))));
    EXPECT_EQ(recorded("i/vda"), "../cache/base");
    expect_shown("i/vda", uri("cache/base"), "qcow2");
}

TEST_F(BackingTest, AFileOfTheVolumeOutsideOfThePoolIsABaseToo) {
    PoolSpec inner = spec();
    inner.name += "-inner";
    inner.directory += "/instances";
    fs::create_directory(fuse("instances"));
    auto below = start(inner);
    ASSERT_TRUE(done(below));
    ASSERT_TRUE(done(pool().create(qcow2("cache/base", kGiB))));
    ASSERT_TRUE(done(below->create(overlay("u/vda", uri("cache/base")))));
    EXPECT_EQ(recorded("instances/u/vda"), "../../cache/base");
    EXPECT_EQ(XmlText(*below->volume("u/vda")->xml()).at("//backingStore/path"), uri("cache/base"));
    EXPECT_TRUE(done(below->stop()));
}

TEST_F(BackingTest, ALocalFileIsRecordedAsItIs) {
    const std::string base = local_ + "/0123.v001";
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + base + " 7G").ok());
    ASSERT_TRUE(done(pool().create(overlay("i/vda", base))));
    EXPECT_EQ(recorded("i/vda"), base);
    EXPECT_EQ(recorded_format("i/vda"), "qcow2");
    EXPECT_EQ(capacity("i/vda"), 7 * kGiB);
    expect_shown("i/vda", base, "qcow2");
    expect_chain_opens("i/vda");

    ASSERT_TRUE(shell("truncate -s 12M " + local_ + "/raw").ok());
    ASSERT_TRUE(done(pool().create(overlay("i/vdb", local_ + "/raw", "raw"))));
    EXPECT_EQ(recorded_format("i/vdb"), "raw");
    EXPECT_EQ(capacity("i/vdb"), 12 * kMiB);
}

TEST_F(BackingTest, AnotherGlusterVolumeIsRecordedByItsUri) {
    const std::string volume = lab().extra_volume("it-bases", {});
    const std::string mounted = lab().mount_of(volume);
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + mounted + "/base 2G").ok());
    const std::string base = "gluster://" + lab().gluster_host() + "/" + volume + "/base";
    // Without a pool of it: its host is one that this pool names.
    ASSERT_TRUE(done(pool().create(overlay("i/vda", base))));
    EXPECT_EQ(recorded("i/vda"), base);
    EXPECT_EQ(capacity("i/vda"), 2 * kGiB);
    expect_shown("i/vda", base, "qcow2");
    // With one.
    PoolSpec other = spec();
    other.name += "-bases";
    other.volume = volume;
    other.directory = "/";
    ASSERT_TRUE(done(start(other)));
    ASSERT_TRUE(done(pool().create(overlay("i/vdb", base))));
    EXPECT_EQ(recorded("i/vdb"), base);
    fs::remove(mounted + "/base");
}

TEST_F(BackingTest, AServerThatNoPoolNamesIsRefusedWithoutBeingAskedAnything) {
    Listener evil(kStranger, kStrangersPort);
    const std::string base = stranger() + lab().volume() + "/base";
    const auto answer = pool().create(overlay("a", base));
    EXPECT_FALSE(answer);
    EXPECT_NE(answer.refusal.code, VIR_ERR_INTERNAL_ERROR);
    EXPECT_NE(answer.refusal.message.find(kStranger), std::string::npos) << answer.refusal.message;
    EXPECT_FALSE(evil.anyone_came());
    EXPECT_EQ(on_brick(), std::vector<std::string>{});
}

TEST_F(BackingTest, AServerThatOnlyAnImageNamesIsShownAndNotAsked) {
    Listener evil(kStranger, kStrangersPort);
    const std::string base = stranger() + lab().volume() + "/base";
    for (const auto& [name, backing] : std::vector<std::pair<std::string, std::string>>{
             {"uri", base},
             {"json",
              "json:{\"driver\":\"gluster\",\"volume\":\"v\",\"path\":\"p\",\"server\":"
              "[{\"type\":\"inet\",\"host\":\"127.66.6.6\",\"port\":\"24666\"}]}"},
             {"nbd", "nbd://127.66.6.6:24666/x"},
             {"file", "file:/etc/shadow"},
             {"shadow", "/etc/shadow"}}) {
        const Ran made = shell("qemu-img create -q -u -f qcow2 -F raw -b " + quoted(backing) + " " +
                               quoted(fuse(name)) + " 1G");
        ASSERT_TRUE(made.ok()) << made.output;
        ASSERT_TRUE(done(pool().refresh()));
        EXPECT_EQ(XmlText(*pool().volume(name)->xml()).at("//backingStore/path"), backing);
        // As a base, it is looked at no further than that.
        ASSERT_TRUE(done(pool().create(overlay("on-" + name, name))));
    }
    EXPECT_FALSE(evil.anyone_came());
}

TEST_F(BackingTest, ARawBaseOfThePoolIsRawWhateverIsWrittenIntoIt) {
    ASSERT_TRUE(done(pool().create(raw("base", 20 * kMiB))));
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 -F raw -u -b /etc/shadow " + local_ +
                      "/evil 1G && dd conv=notrunc if=" + local_ + "/evil of=" + fuse("base"))
                    .ok());
    ASSERT_TRUE(done(pool().create(overlay("a", "base", "raw"))));
    EXPECT_EQ(recorded_format("a"), "raw");
    EXPECT_EQ(capacity("a"), 20 * kMiB);
    EXPECT_TRUE(refused(pool().create(overlay("b", "base", "qcow2")), VIR_ERR_INVALID_ARG, "raw"));
}

TEST_F(BackingTest, TheFormatOfAVolumeThatWasMadeHereNeedNotBeSaid) {
    ASSERT_TRUE(done(pool().create(qcow2("base"))));
    ASSERT_TRUE(done(pool().create(overlay("a", "base", ""))));
    EXPECT_EQ(recorded_format("a"), "qcow2");
    ASSERT_TRUE(done(pool().create(raw("rawbase", 4 * kMiB))));
    ASSERT_TRUE(done(pool().create(overlay("b", "rawbase", ""))));
    EXPECT_EQ(recorded_format("b"), "raw");
}

TEST_F(BackingTest, AFormatThatIsNotTheBasesIsRefused) {
    ASSERT_TRUE(done(pool().create(qcow2("base"))));
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + fuse("foreign") + " 1G").ok());
    EXPECT_TRUE(refused(pool().create(overlay("a", "base", "vmdk")), VIR_ERR_INVALID_ARG, "qcow2"));
    // A foreign qcow2 taken for raw would let a guest see its header, or worse.
    EXPECT_TRUE(
        refused(pool().create(overlay("a", "foreign", "raw")), VIR_ERR_INVALID_ARG, "qcow2"));
    EXPECT_TRUE(refused(pool().create(overlay("a", "foreign", "")), VIR_ERR_INVALID_ARG, "qcow2"));
    EXPECT_FALSE(exists("a"));
    EXPECT_TRUE(done(pool().create(overlay("a", "foreign", "qcow2"))));
}

TEST_F(BackingTest, WhatCannotBeABaseIsRefused) {
    ASSERT_TRUE(done(pool().create(directory("d"))));
    ASSERT_TRUE(done(pool().create(qcow2("base"))));
    const auto before = on_brick();
    struct Wrong {
        std::string base;
        int code;
    };
    for (const auto& [base, code] : std::vector<Wrong>{
             {"missing", VIR_ERR_NO_STORAGE_VOL},
             {"missing/too", VIR_ERR_NO_STORAGE_VOL},
             {"base/below", VIR_ERR_NO_STORAGE_VOL},
             {uri("missing"), VIR_ERR_NO_STORAGE_VOL},
             {local_ + "/missing", VIR_ERR_NO_STORAGE_VOL},
             {"d", VIR_ERR_INVALID_ARG},
             {uri("d"), VIR_ERR_INVALID_ARG},
             {local_, VIR_ERR_INVALID_ARG},
             {"/dev/null", VIR_ERR_INVALID_ARG},
             {"../base", VIR_ERR_INVALID_ARG},
             {"a//base", VIR_ERR_INVALID_ARG},
             {"gluster://", VIR_ERR_INVALID_ARG},
             {"gluster://" + lab().gluster_host() + "/" + lab().volume() + "/../../etc",
              VIR_ERR_INVALID_ARG},
             {"gluster://" + lab().gluster_host() + "/nosuchvolume/a", VIR_ERR_OPERATION_FAILED}})
        EXPECT_TRUE(refused(pool().create(overlay("a", base)), code)) << base;
    // It is the base that was not found, and libvirt says "Storage volume not found:" before it.
    const Refusal refusal = refusal_of(pool().create(overlay("a", "missing")));
    EXPECT_NE(refusal.message.find("not found: base 'missing' does not exist; volume 'a' of pool"),
              std::string::npos)
        << refusal.message;
    EXPECT_EQ(on_brick(), before);
}

TEST_F(BackingTest, SchemesThatAreNotOursAreRefusedClearly) {
    for (const char* base :
         {"http://127.0.0.1/x", "nbd://127.0.0.1/x", "json:{\"driver\":\"file\"}",
          "file:/etc/passwd", "gluster+unix:///v/p?socket=/run/s", "gluster+rdma://h/v/p",
          "rbd:a/b"}) {
        const auto answer = pool().create(overlay("a", base));
        EXPECT_FALSE(answer) << base;
        EXPECT_NE(answer.refusal.code, VIR_ERR_INTERNAL_ERROR) << base;
        EXPECT_FALSE(answer.refusal.message.empty());
    }
    EXPECT_EQ(on_brick(), std::vector<std::string>{});
}

TEST_F(BackingTest, ALoopIsRefused) {
    // An image that somebody else made names the one that is to be made as its base
    const Ran made =
        shell("cd " + quoted(fuse()) +
              " && qemu-img create -q -u -f qcow2 -F qcow2 -b new first 1G && "
              "qemu-img create -q -u -f qcow2 -F qcow2 -b first second 1G && "
              "qemu-img create -q -u -f qcow2 -F qcow2 -b " +
              quoted(uri("new")) +
              " by-uri 1G && "
              "qemu-img create -q -u -f qcow2 -F qcow2 -b " +
              quoted(fuse("new")) +
              " by-path 1G && "
              "qemu-img create -q -u -f qcow2 -F qcow2 -b self other 1G && mv other self");
    ASSERT_TRUE(made.ok()) << made.output;
    for (const char* base : {"new", "first", "second", "by-uri", "by-path"}) {
        const auto answer = pool().create(overlay("new", base));
        EXPECT_TRUE(refused(
            answer, std::string(base) == "new" ? VIR_ERR_NO_STORAGE_VOL : VIR_ERR_INVALID_ARG))
            << base;
        EXPECT_FALSE(exists("new")) << base;
    }
    // A chain that never ends, without us in it.
    EXPECT_TRUE(refused(pool().create(overlay("new", "self")), VIR_ERR_INVALID_ARG, "loop"));
    EXPECT_TRUE(done(pool().refresh()));
}

TEST_F(BackingTest, ADamagedBaseIsRefused) {
    ASSERT_TRUE(done(pool().create(qcow2("base"))));
    ASSERT_TRUE(
        shell("printf '\\377' | dd conv=notrunc bs=1 seek=23 of=" + quoted(fuse("base"))).ok());
    const auto answer = pool().create(overlay("a", "base"));
    EXPECT_TRUE(refused(answer, VIR_ERR_OPERATION_FAILED, "base"));
    EXPECT_FALSE(exists("a"));
}

TEST_F(BackingTest, ACapacityOfItsOwnIsKept) {
    ASSERT_TRUE(done(pool().create(qcow2("base", 2 * kGiB))));
    VolumeSpec larger = overlay("larger", "base");
    larger.capacity = 5 * kGiB;
    ASSERT_TRUE(done(pool().create(larger)));
    EXPECT_EQ(capacity("larger"), 5 * kGiB);
    VolumeSpec smaller = overlay("smaller", "base");
    smaller.capacity = kGiB;
    ASSERT_TRUE(done(pool().create(smaller)));
    EXPECT_EQ(capacity("smaller"), kGiB);
}

TEST_F(BackingTest, ARawVolumeHasNoBase) {
    ASSERT_TRUE(done(pool().create(raw("base"))));
    VolumeSpec spec = raw("a");
    spec.backing = "base";
    spec.backing_format = "raw";
    EXPECT_TRUE(refused(pool().create(spec), VIR_ERR_CONFIG_UNSUPPORTED, "base"));
    EXPECT_FALSE(exists("a"));
}

TEST_F(BackingTest, ALongChainIsMadeAndOpens) {
    ASSERT_TRUE(done(pool().create(qcow2("c0", kGiB))));
    for (int i = 1; i <= 30; ++i)
        ASSERT_TRUE(
            done(pool().create(overlay("c" + std::to_string(i), "c" + std::to_string(i - 1)))));
    expect_chain_opens("c30");
    EXPECT_EQ(capacity("c30"), kGiB);
}

TEST_F(BackingTest, ABaseNameTooLongForTheFormatIsRefused) {
    std::string deep;
    for (int i = 0; i < 5; ++i) deep += std::string(240, static_cast<char>('a' + i)) + "/";
    ASSERT_TRUE(done(pool().create(qcow2(deep + "base"))));
    EXPECT_TRUE(refused(pool().create(overlay("a", deep + "base")), VIR_ERR_INVALID_ARG));
    EXPECT_FALSE(exists("a"));
    // Beside it, the name is short.
    EXPECT_TRUE(done(pool().create(overlay(deep + "a", deep + "base"))));
}

}  // namespace sfg::test
