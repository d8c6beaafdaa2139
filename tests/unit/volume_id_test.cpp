// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/volume_id.hpp"

#include <gtest/gtest.h>

namespace sfg {
namespace {

TEST(BrickHosts, AreReadFromAVolumeFileEachOnce) {
    const auto hosts = brick_hosts_in(
        "volume sf-client-0\n    type protocol/client\n    option remote-subvolume /bricks/1\n"
        "    option remote-host sf-1\n    option ping-timeout 42\nend-volume\n\n"
        "volume sf-client-1\n    option remote-host SF-1\n    option remote-host "
        "sf-2\nend-volume\n");
    ASSERT_EQ(hosts.size(), 2u);
    EXPECT_EQ(hosts[0].host, "sf-1");
    EXPECT_EQ(hosts[1].host, "sf-2");
    EXPECT_FALSE(hosts[0].is_local());
}

TEST(BrickHosts, OfWhatIsNoVolumeFileAreNone) {
    EXPECT_TRUE(brick_hosts_in("").empty());
    EXPECT_TRUE(brick_hosts_in(std::string(1 << 20, 'x')).empty());
    EXPECT_TRUE(brick_hosts_in("option remote-host\nremote-host sf-1\n").empty());
}

TEST(BrickHosts, AreBoundedInNumber) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "option remote-host sf-" + std::to_string(i) + "\n";
    EXPECT_EQ(brick_hosts_in(text).size(), 64u);
}

}  // namespace
}  // namespace sfg
