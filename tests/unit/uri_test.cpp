// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/uri.hpp"

#include <gtest/gtest.h>

namespace sfg {
namespace {

TEST(GlusterUris, AreTakenApart) {
    const auto uri = parse_gluster_uri("gluster://sf-3:24007/shakenfist/a%20b/vda");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->transport, "tcp");
    EXPECT_EQ(uri->host, "sf-3");
    EXPECT_EQ(uri->port, 24007);
    EXPECT_EQ(uri->volume, "shakenfist");
    EXPECT_EQ(uri->path, "/a b/vda");
}

TEST(GlusterUris, MayLeaveOutPortAndPath) {
    const auto uri = parse_gluster_uri("gluster+tcp://h/v");
    ASSERT_TRUE(uri);
    EXPECT_EQ(uri->port, 0);
    EXPECT_EQ(uri->path, "/");
}

TEST(GlusterUris, MayNameAnIpv6AddressOrASocket) {
    const auto address = parse_gluster_uri("gluster://[2001:db8::1]:24008/v/x");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->host, "2001:db8::1");
    EXPECT_EQ(format_gluster_uri(*address), "gluster://[2001:db8::1]:24008/v/x");
    const auto socket = parse_gluster_uri("gluster+unix:///v/x?socket=/run/a%20b");
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->socket, "/run/a b");
}

TEST(GlusterUris, AreWrittenAsTheyWereRead) {
    for (const char* text : {"gluster://h/v/x", "gluster://h:24007/v/a%20b", "gluster://h/v/%25",
                             "gluster://h/v/%C3%A4", "gluster://h/v/a:b@c"}) {
        const auto uri = parse_gluster_uri(text);
        ASSERT_TRUE(uri) << text;
        const auto again = parse_gluster_uri(format_gluster_uri(*uri));
        ASSERT_TRUE(again) << text;
        EXPECT_EQ(again->path, uri->path) << text;
    }
}

TEST(GlusterUris, AreEscapedAlikeByThePieceAndWhole) {
    for (const char* path : {"a", "a b", "%", "x:y", "a:b/c", "\xc3\xa4", "a;b@c&d=e+f$g,h", "?#[]",
                             "dir/.x~*'()!", "//double"}) {
        GlusterUri uri;
        uri.host = "h";
        uri.volume = "v";
        uri.path = std::string("/") + path;
        EXPECT_EQ("gluster://h/v/" + escaped_uri_path(path), format_gluster_uri(uri)) << path;
    }
}

TEST(GlusterUris, ThatAreNoneAreRefused) {
    for (const char* text : {"", "gluster:", "gluster://", "gluster://h", "gluster://h/",
                             "gluster:///v/x", "gluster+unix:///v/x", "gluster+foo://h/v",
                             "nbd://h/v", "/local", "gluster://h:port/v/x"}) {
        const auto uri = parse_gluster_uri(text);
        ASSERT_FALSE(uri) << text;
        EXPECT_EQ(uri.error().kind(), ErrorKind::invalid);
    }
}

}  // namespace
}  // namespace sfg
