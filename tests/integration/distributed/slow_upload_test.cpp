// SPDX-License-Identifier: LGPL-2.1-or-later
//
// An upload to storage that is slow is stored when it is finished.
#include <gtest/gtest.h>

#include <ostream>

#include "tests/support/distributed_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

struct Speed {
    int megabits = 0;  // a second
    int later = 0;     // from the middle on; 0: the same
    int megabytes = 0;
};
void PrintTo(const Speed& speed, std::ostream* out) {
    *out << speed.megabits << " Mbit/s";
}

class SlowUploadTest : public DistributedPoolTest, public testing::WithParamInterface<Speed> {};

}  // namespace

TEST_P(SlowUploadTest, IsStoredWhenItIsFinished) {
    const std::string bytes = noise(static_cast<std::size_t>(GetParam().megabytes) * 1'000'000, 1);
    const auto volume = pool().create(raw("uploaded", bytes.size()));
    ASSERT_TRUE(done(volume));
    slow_down(GetParam().megabits * 1000);
    const auto stream = begin_upload(*volume);
    ASSERT_TRUE(done(stream));
    const std::size_t half = bytes.size() / 2;
    EXPECT_TRUE(done(stream->send(std::string_view(bytes).substr(0, half))));
    if (GetParam().later != 0) {
        as_fast_as_ever();
        slow_down(GetParam().later * 1000);
    }
    EXPECT_TRUE(done(stream->send(std::string_view(bytes).substr(half))));
    EXPECT_TRUE(done(stream->finish()));
    as_fast_as_ever();
    EXPECT_TRUE(same_bytes(read_file("uploaded"), bytes));
}

INSTANTIATE_TEST_SUITE_P(
    At, SlowUploadTest,
    testing::ValuesIn(cases<Speed>({{20, 0, 8}, {100, 0, 20}, {100, 10, 20}},
                                   {{20, 0, 20}, {100, 0, 60}, {160, 0, 100}})),
    [](const auto& one) {
        return std::to_string(one.param.megabits) + "_" + std::to_string(one.param.later) + "_" +
               std::to_string(one.param.megabytes);
    });

}  // namespace sfg::test
