// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What libvirt's own module does still works the same: both serve one gluster volume, ours on the
// first host and stock on the second. They differ, on purpose, in three points: ours looks into
// directories, tells the clusters' size, and shows a relative base as what it means.
#include <gtest/gtest.h>

#include <sys/statvfs.h>

#include <filesystem>
#include <regex>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

class StockComparisonTest : public PoolTest {
  protected:
    static constexpr int kStock = 2;

    static void SetUpTestSuite() {
        const Ran started = lab().libvirtd(kStock, "restart", {"--stock"});
        ASSERT_TRUE(started.ok()) << started.output;
    }
    static void TearDownTestSuite() {
        const Ran started = lab().libvirtd_with_ours(kStock);
        EXPECT_TRUE(started.ok()) << started.output;
    }

    // The document without what differs on purpose, and without the time of reading.
    static std::string comparable(std::string xml) {
        xml = std::regex_replace(xml, std::regex("\\s*<clusterSize[^>]*>[^<]*</clusterSize>"), "");
        xml = std::regex_replace(xml, std::regex("<atime>[^<]*</atime>"), "");
        return xml;
    }
};

}  // namespace

TEST_F(StockComparisonTest, StockAndOursShowTheSame) {
    const std::string cd = "cd " + quoted(fuse()) + " && ";
    const Ran made =
        shell(cd +
              "truncate -s 1000001 raw && touch empty && mkdir dir && echo x > 'a b#%?' && "
              "qemu-img create -q -f qcow2 -o compat=0.10 v2 1G && "
              "qemu-img create -q -f qcow2 v3 1G && "
              "qemu-img create -q -f qcow2 -o lazy_refcounts=on lazy 1G && "
              "qemu-img create -q -f qcow2 -o preallocation=metadata metadata 10M && "
              "qemu-img create -q -f qcow2 -F qcow2 -b " +
              quoted(fuse("v3")) +
              " absolute && "
              "qemu-img create -q -f qcow2 -u -F raw -b gluster://elsewhere/v/p uri 1G && "
              "qemu-img create -q -f vmdk a.vmdk 20M && qemu-img create -q -f vdi a.vdi 20M && "
              "qemu-img create -q -f vpc -o force_size=on a.vpc 20M && "
              "qemu-img create -q -f qed a.qed 20M && qemu-img create -q -f qcow a.qcow 20M && " +
              luks_command("qemu-img create -q -f luks --object secret,id=s,data=x "
                           "-o key-secret=s,iter-time=10 a.luks 20M") +
              " && "
              "dd if=/dev/zero of=full bs=1M count=3 2>/dev/null && chmod 640 full && "
              "chown 11:12 full && ln -s raw link && ln -s nowhere dangling && ln -s dir dirlink");
    ASSERT_TRUE(made.ok()) << made.output;
    ASSERT_TRUE(done(pool().refresh()));
    Pool stock = pool_on(kStock);

    const auto names = stock.volume_names();
    EXPECT_EQ(pool().volume_names(), names);
    for (const auto& name : names) {
        const auto ours = pool().volume(name);
        const auto theirs = stock.volume(name);
        if (!ours || !theirs) continue;
        EXPECT_EQ(comparable(*ours->xml()), comparable(*theirs->xml())) << name;
        EXPECT_EQ(ours->key(), theirs->key());
        EXPECT_EQ(ours->info()->type, theirs->info()->type) << name;
    }
    const auto ours = pool().info();
    const auto theirs = stock.info();
    EXPECT_EQ(ours->capacity, theirs->capacity);
    EXPECT_EQ(ours->state, theirs->state);
    // Stock counts what is kept for root. Other things are written to the disk meanwhile.
    struct statvfs status {};
    ASSERT_EQ(statvfs(fuse().c_str(), &status), 0);
    const std::uint64_t kept = status.f_frsize * (status.f_bfree - status.f_bavail);
    EXPECT_NEAR(static_cast<double>(ours->available + kept), static_cast<double>(theirs->available),
                static_cast<double>(512 * kMiB));
    EXPECT_EQ(theirs->allocation + theirs->available, theirs->capacity);
    auto without_space = [](const std::string& xml) {
        return std::regex_replace(std::regex_replace(xml, std::regex("<uuid>.*</uuid>"), ""),
                                  std::regex("<(allocation|available)[^>]*>[^<]*<"), "");
    };
    EXPECT_EQ(without_space(pool().xml()), without_space(stock.xml()));
}

TEST_F(StockComparisonTest, WhatIsMadeHereStockReads) {
    ASSERT_TRUE(done(pool().create(qcow2("base", 3 * kGiB))));
    ASSERT_TRUE(done(pool().create(overlay("top", "base"))));
    ASSERT_TRUE(done(pool().create(raw("raw", 5 * kMiB))));
    Pool stock = pool_on(kStock);
    EXPECT_EQ(stock.volume_names(), (std::vector<std::string>{"base", "raw", "top"}));
    EXPECT_EQ(stock.volume("base")->info()->capacity, 3 * kGiB);
    EXPECT_EQ(stock.volume("raw")->info()->capacity, 5 * kMiB);
    const XmlText top(*stock.volume("top")->xml());
    EXPECT_EQ(top.number("/volume/capacity"), 3 * kGiB);
    EXPECT_EQ(top.at("//target/format/@type"), "qcow2");
    EXPECT_EQ(top.at("//backingStore/path"), "base");
}

TEST_F(StockComparisonTest, SourcesAreFoundAlike) {
    const std::string source = "<source><host name='" + lab().gluster_host() + "'/></source>";
    const auto ours = client().find_sources("gluster", source);
    const auto theirs = client(kStock).find_sources("gluster", source);
    ASSERT_TRUE(done(ours));
    ASSERT_TRUE(done(theirs));
    EXPECT_EQ(*ours, *theirs);
    for (const char* wrong : {"", "<source><host name='10.77.0.250'/></source>"})
        EXPECT_FALSE(client().find_sources("gluster", wrong)) << wrong;
}

}  // namespace sfg::test
