// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "driver/core/user_groups.hpp"
#include "driver/disks/disk_requests.hpp"
#include "driver/disks/known_servers.hpp"
#include "driver/pools/known_pools.hpp"

namespace sfg {
namespace {

Disk disk(const std::string& volume, std::vector<Server> servers, bool named_by_image) {
    return {{volume, std::move(servers)}, "a/b", named_by_image};
}

TEST(KnownServers, ADefinitionIsBelieved) {
    KnownServers known;
    const auto address = known.address_of(disk("v", {{"sf-1", 0}, {"sf-2", 0}}, false));
    ASSERT_TRUE(address);
    EXPECT_EQ(address->servers.size(), 2u);
    EXPECT_FALSE(known.address_of(disk("v", {}, false))) << "without a server";
}

TEST(KnownServers, AnImageIsNot) {
    KnownServers known;
    const auto refused = known.address_of(disk("v", {{"evil", 0}}, true));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), ErrorKind::denied);
    EXPECT_NE(refused.error().message().find("gluster disk 'v/a/b'"), std::string::npos);
    EXPECT_NE(refused.error().message().find("'evil'"), std::string::npos);
}

TEST(KnownServers, UnlessADefinitionHasNamedTheServer) {
    KnownServers known;
    known.remember({"v", {{"sf-1", 0}, {"sf-2", 0}}});
    const auto same = known.address_of(disk("v", {{"SF-2", 24007}}, true));
    ASSERT_TRUE(same);
    EXPECT_EQ(same->servers.front().host, "sf-1") << "the address that has a connection";
    EXPECT_FALSE(known.address_of(disk("w", {{"sf-1", 0}}, true))) << "another volume";
    EXPECT_FALSE(known.address_of(disk("v", {{"sf-1", 24017}}, true))) << "another port";
}

// glusterd gives out other volume files as well, such as a brick's own.
TEST(KnownServers, ANameThatNoVolumeHasIsRefused) {
    KnownServers known;
    for (const char* name : {"", "v.sf-1.srv-brick1", "../v", "a/b", "v\n", "gluster/shd"}) {
        known.remember({name, {{"sf-1", 0}}});
        for (const bool named_by_image : {false, true}) {
            const auto refused = known.address_of(disk(name, {{"sf-1", 0}}, named_by_image));
            ASSERT_FALSE(refused) << name;
            EXPECT_EQ(refused.error().kind(), ErrorKind::invalid);
        }
    }
}

// qemu asks any server of the list.
TEST(KnownServers, EachServerOfAnImageMustBeKnown) {
    KnownServers known;
    known.remember({"v", {{"sf-1", 0}}});
    EXPECT_TRUE(known.address_of(disk("v", {{"sf-1", 0}}, true)));
    EXPECT_FALSE(known.address_of(disk("v", {{"sf-1", 0}, {"evil", 0}}, true)));
    EXPECT_FALSE(known.address_of(disk("v", {{"evil", 0}, {"sf-1", 0}}, true)));
    EXPECT_FALSE(known.address_of(disk("v", {{"", 0, "/evil.sock"}, {"sf-1", 0}}, true)));
}

TEST(KnownServers, PoolsNameThemToo) {
    auto& pools = KnownPools::instance();
    pools.add(*Pool::make("disks", "v", "/d", {{"sf-3", 0}}));
    KnownServers known;
    EXPECT_TRUE(known.address_of(disk("v", {{"sf-3", 0}}, true)));
    pools.remove("disks");
    EXPECT_FALSE(known.address_of(disk("v", {{"sf-3", 0}}, true)));
}

// A socket has no host, and a host no socket.
TEST(Servers, AreTheSameHoweverTheyAreWritten) {
    EXPECT_TRUE(is_same({"sf-1", 0}, {"SF-1", 24007}));
    EXPECT_FALSE(is_same({"sf-1", 0}, {"sf-1", 24008}));
    EXPECT_TRUE(is_same({"", 0, "/a"}, {"", 0, "/a"}));
    EXPECT_FALSE(is_same({"", 0, "/a"}, {"", 0, "/b"}));
    EXPECT_FALSE(is_same({"", 0, "/a"}, {"sf-1", 0}));
}

TEST(DiskRequests, OtherThanThoseKnownAreRefused) {
    const std::string nul(1, '\0');
    for (const std::string& request :
         {std::string(), std::string("chown"), nul, "unlink" + nul + "0" + nul,
          "chown" + nul + "1" + nul + "2" + nul + "v" + nul + "p" + nul + "0" + nul + "host" +
              nul}) {
        const auto answer = serve_disk_request(request);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().system_errno(), EPROTO);
    }
}

TEST(Groups, OfAUserAreThoseOfThisHost) {
    const auto roots = groups_of(0, 0);
    EXPECT_NE(std::find(roots.begin(), roots.end(), 0u), roots.end());
    EXPECT_EQ(groups_of(4'000'000, 4711), (std::vector<gid_t>{4711})) << "nobody knows him";
}

}  // namespace
}  // namespace sfg
