// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A guest starts on a chain that was made here. It has no system: qemu opens its disks all the
// same.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

class GuestTest : public PoolTest {
  protected:
    void SetUp() override {
        PoolTest::SetUp();
        ASSERT_TRUE(done(pool().create(qcow2("image_cache/base.v001", 2 * kGiB))));
        ASSERT_TRUE(done(pool().create(overlay("instances/u/vda", "image_cache/base.v001"))));
    }
    void TearDown() override {
        client().stop_guest("guest");
        PoolTest::TearDown();
    }

    static std::string guest(const std::string& type, const std::string& source) {
        return "<domain type='qemu'><name>guest</name><memory unit='MiB'>64</memory>"
               "<os><type arch='x86_64'>hvm</type></os><devices><disk type='" +
               type + "' device='disk'><driver name='qemu' type='qcow2' cache='none'/>" + source +
               "<target dev='vda' bus='virtio'/></disk></devices></domain>";
    }
};

}  // namespace

TEST_F(GuestTest, StartsOnAFileDiskOverFuse) {
    const Refusal started = client().start_guest(
        guest("file", "<source file='" + xml_escaped(fuse("instances/u/vda")) + "'/>"));
    ASSERT_TRUE(done(started));
    // What a running guest's disk is stays to be seen.
    EXPECT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(done(pool().create(overlay("instances/v/vda", "image_cache/base.v001"))));
    EXPECT_TRUE(done(client().stop_guest("guest")));
}

// The distribution's own module reads the chain: ten seconds an image, there and back.
TEST_F(GuestTest, StartsOnANetworkDisk) {
    const Refusal started = client().start_guest(
        guest("network", "<source protocol='gluster' name='" + lab().volume() +
                             xml_escaped(directory_in_volume()) + "/instances/u/vda'><host name='" +
                             lab().gluster_host() + "'/></source>"));
    ASSERT_TRUE(done(started));
    EXPECT_TRUE(done(pool().refresh()));
    EXPECT_TRUE(done(client().stop_guest("guest")));
}

}  // namespace sfg::test
