// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A daemon that runs for months: what is done over and over leaves nothing behind in it.
#include "tests/bench/growth.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

class GrowthTest : public PoolTest {
  protected:
    // A libvirtd that nothing else has made grow or given room.
    void SetUp() override {
        ASSERT_TRUE(lab().libvirtd_with_ours(1).ok());
        PoolTest::SetUp();
    }
};

}  // namespace

TEST_F(GrowthTest, AThousandVolumesComeAndGo) {
    // Some that stay, so that a refresh has something to do.
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(done(pool().create(qcow2("stays-" + std::to_string(i)))));

    const auto libvirtd = static_cast<pid_t>(std::stol(lab().path("LIBVIRTD_PID")));
    const bench::Growth growth = bench::measure_growth(pool(), libvirtd, 1000);
    EXPECT_LT(growth.resident(), static_cast<long long>(2 * kMiB));
    // Worker threads come and go; those that are left over would be hundreds.
    EXPECT_LE(growth.threads(), 0);
    EXPECT_LE(growth.descriptors(), 0);
}

}  // namespace sfg::test
