// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/pool.hpp"

#include <gtest/gtest.h>

#include "driver/pools/known_pools.hpp"
#include "driver/volumes/create.hpp"

namespace sfg {
namespace {

Pool pool(const std::string& name, const std::string& volume, const std::string& host,
          int port = 0) {
    return *Pool::make(name, volume, "/", {{host, port}});
}

TEST(Pools, AreMadeOfWhatTheXmlSays) {
    const auto made = Pool::make("p", "v", "//images/sub/", {{"h", 24007}, {"i", 0}});
    ASSERT_TRUE(made);
    EXPECT_EQ(made->directory, "images/sub");
    EXPECT_EQ(made->uri_of("images/sub/a b"), "gluster://h:24007/v/images/sub/a%20b");
}

TEST(Pools, AreRefusedWithTheReason) {
    for (const auto& [volume, directory] : {std::pair<std::string, std::string>{"", "/"},
                                            {"v/w", "/"},
                                            {"v", "relative"},
                                            {"v", "/a/../b"},
                                            {"v", "/.."}}) {
        const auto made = Pool::make("p", volume, directory, {{"h", 0}});
        ASSERT_FALSE(made) << volume << " " << directory;
        EXPECT_EQ(made.error().kind(), ErrorKind::invalid);
        EXPECT_NE(made.error().message().find("pool 'p'"), std::string::npos);
    }
    EXPECT_FALSE(Pool::make("p", "v", "/", {}));
}

TEST(KnownPools, NameTheServersThatMayBeConnectedTo) {
    auto& known = KnownPools::instance();
    known.add(pool("one", "v", "sf-1"));
    known.add(pool("two", "w", "sf-2", 24017));
    auto address = [&](const char* text) {
        const GlusterUri uri = *parse_gluster_uri(text);
        return known.address_for(uri.volume, uri.server());
    };

    ASSERT_TRUE(address("gluster://sf-1/v/x"));
    EXPECT_EQ(address("gluster://SF-1:24007/v/x")->volume, "v");
    EXPECT_EQ(address("gluster://sf-1/other/x")->volume, "other") << "another volume, known host";
    EXPECT_TRUE(address("gluster://sf-2:24017/w/x"));
    EXPECT_FALSE(address("gluster://sf-2/w/x")) << "another port is another server";
    EXPECT_FALSE(address("gluster://evil/v/x"));
    known.remove("one");
    EXPECT_FALSE(address("gluster://sf-1/v/x"));
    known.remove("two");
}

std::string fault(const VolumeRequest& request, ErrorKind kind) {
    const auto checked = check_request(pool("p", "v", "h"), request);
    if (checked) return "";
    EXPECT_EQ(checked.error().kind(), kind) << checked.error().message();
    EXPECT_NE(checked.error().message().find("pool 'p'"), std::string::npos);
    return checked.error().message();
}

VolumeRequest request(const std::string& format) {
    VolumeRequest made;
    made.name = "x";
    made.format = format;
    made.capacity = 1 << 20;
    return made;
}

TEST(Requests, ForRawAndQcow2AreFine) {
    EXPECT_EQ(fault(request("raw"), ErrorKind::invalid), "");
    EXPECT_EQ(fault(request("qcow2"), ErrorKind::invalid), "");
    auto zero = request("qcow2");
    zero.capacity = 0;
    EXPECT_EQ(fault(zero, ErrorKind::invalid), "");
}

TEST(Requests, ForOtherFormatsAndEncryptionAreRefused) {
    for (const char* format : {"vmdk", "vdi", "vpc", "qed", "luks", "iso", "none"})
        EXPECT_NE(fault(request(format), ErrorKind::unsupported).find(format), std::string::npos);
    auto encrypted = request("raw");
    encrypted.encrypted = true;
    EXPECT_NE(fault(encrypted, ErrorKind::unsupported), "");
}

TEST(Requests, ForRawTakeNothingOfQcow2) {
    auto with = [](auto change) {
        auto made = request("raw");
        change(made);
        return fault(made, ErrorKind::unsupported);
    };
    EXPECT_NE(with([](auto& r) { r.backing = BackingRequest{"b", "raw"}; }), "");
    EXPECT_NE(with([](auto& r) { r.preallocate_metadata = true; }), "");
    EXPECT_NE(with([](auto& r) { r.compat = "1.1"; }), "");
    EXPECT_NE(with([](auto& r) { r.cluster_size = 65536; }), "");
}

TEST(Requests, ThatQcow2CannotHoldAreRefused) {
    auto with = [](ErrorKind kind, auto change) {
        auto made = request("qcow2");
        change(made);
        return fault(made, kind);
    };
    EXPECT_NE(with(ErrorKind::invalid, [](auto& r) { r.capacity = ~0ULL; }), "");
    EXPECT_NE(with(ErrorKind::unsupported, [](auto& r) { r.cluster_size = 1000; }), "");
    EXPECT_NE(with(ErrorKind::unsupported, [](auto& r) { r.compat = "2.0"; }), "");
    EXPECT_NE(with(ErrorKind::unsupported, [](auto& r) { r.cluster_size = 1ULL << 40; })
                  .find("1099511627776"),
              std::string::npos);
    EXPECT_NE(with(ErrorKind::unsupported,
                   [](auto& r) {
                       r.compat = "0.10";
                       r.lazy_refcounts = true;
                   }),
              "");
    EXPECT_NE(with(ErrorKind::unsupported,
                   [](auto& r) {
                       r.backing = BackingRequest{"b", "raw"};
                       r.preallocate_metadata = true;
                   }),
              "");
}

}  // namespace
}  // namespace sfg
