// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Uploads, downloads and wipes while nodes go and come back.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "tests/support/replica_fixture.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

class ReplicaTransfersTest : public ReplicaPoolTest {
  protected:
    static constexpr std::uint64_t kSize = 24 * kMiB;

    Volume made(const std::string& name) {
        auto volume = pool().create(raw(name, kSize));
        EXPECT_TRUE(done(volume));
        return *volume;
    }

    std::string on_node(int node, const std::string& name) const {
        std::ifstream file(brick_of(node, name), std::ios::binary);
        std::ostringstream bytes;
        bytes << file.rdbuf();
        return bytes.str();
    }
    // After healing.
    void expect_on_all_nodes(const std::string& name, const std::string& bytes) {
        heal();
        for (int node = 1; node <= 3; ++node)
            EXPECT_TRUE(same_bytes(on_node(node, name), bytes)) << name << " on node " << node;
    }
};

}  // namespace

TEST_F(ReplicaTransfersTest, WithANodeDownAllIsDoneAndHealedAfterwards) {
    const std::string first = noise(kSize, 1);
    const std::string second = noise(kSize, 2);
    for (const char* name : {"uploaded", "wiped", "trimmed"})
        ASSERT_TRUE(done(upload(made(name), first)));
    ASSERT_TRUE(lab().node(2, "stop").ok());
    ASSERT_TRUE(done(upload(*pool().volume("uploaded"), second)));
    EXPECT_TRUE(same_bytes(*download(*pool().volume("uploaded")), second));
    ASSERT_TRUE(done(wipe(*pool().volume("wiped"))));
    ASSERT_TRUE(done(wipe(*pool().volume("trimmed"), VIR_STORAGE_VOL_WIPE_ALG_TRIM)));
    ASSERT_TRUE(lab().node(2, "start").ok());
    expect_on_all_nodes("uploaded", second);
    expect_on_all_nodes("wiped", std::string(kSize, '\0'));
    expect_on_all_nodes("trimmed", std::string(kSize, '\0'));
}

TEST_F(ReplicaTransfersTest, ANodeThatGoesMeanwhileIsNotNoticed) {
    const std::string bytes = noise(kSize);
    const auto up = begin_upload(made("a"));
    ASSERT_TRUE(done(up));
    ASSERT_TRUE(done(up->send(std::string_view(bytes).substr(0, kSize / 2))));
    ASSERT_TRUE(lab().node(3, "stop").ok());
    ASSERT_TRUE(done(up->send(std::string_view(bytes).substr(kSize / 2))));
    ASSERT_TRUE(done(up->finish()));
    ASSERT_TRUE(lab().node(3, "start").ok());
    reconnected();
    expect_on_all_nodes("a", bytes);

    const auto down = begin_download(*pool().volume("a"));
    ASSERT_TRUE(done(down));
    std::string got = *down->receive(kMiB);
    ASSERT_TRUE(lab().node(1, "stop").ok());
    for (auto some = down->receive(kMiB); !some->empty(); some = down->receive(kMiB)) got += *some;
    EXPECT_TRUE(done(down->finish()));
    EXPECT_TRUE(same_bytes(got, bytes));
}

TEST_F(ReplicaTransfersTest, WithoutAQuorumAnUploadFailsAndDoesNotHang) {
    const auto volume = made("a");
    const std::string piece = noise(kMiB);
    const auto up = begin_upload(volume);
    ASSERT_TRUE(done(up));
    ASSERT_TRUE(done(up->send(piece)));
    ASSERT_TRUE(lab().node(2, "kill-bricks").ok());
    ASSERT_TRUE(lab().node(3, "kill-bricks").ok());
    const auto start = Clock::now();
    Refusal refusal;
    for (std::uint64_t at = kMiB; at < kSize && refusal.code == VIR_ERR_OK; at += kMiB)
        refusal = up->send(piece);
    const Refusal finished = refusal.code == VIR_ERR_OK ? up->finish() : up->abort();
    if (refusal.code == VIR_ERR_OK) refusal = finished;
    EXPECT_LT(std::chrono::duration<double>(Clock::now() - start).count(), 15);
    EXPECT_TRUE(is_refusal(refusal, VIR_ERR_SYSTEM_ERROR, "'a'"));
    ASSERT_TRUE(lab().node(2, "start-bricks").ok());
    ASSERT_TRUE(lab().node(3, "start-bricks").ok());
    const std::string bytes = noise(kSize, 9);
    const auto again = [&]() -> Refusal {
        if (!pool().is_active())
            if (Refusal started = pool().start(); started.code != VIR_ERR_OK) return started;
        // The refresh after the upload has failed as well, and left libvirt with an empty list.
        if (Refusal refreshed = pool().refresh(); refreshed.code != VIR_ERR_OK) return refreshed;
        const auto found = pool().volume("a");
        return found ? upload(*found, bytes) : found.refusal;
    };
    EXPECT_TRUE(comes_true(
        [&] {
            refusal = again();
            return refusal.code == VIR_ERR_OK;
        },
        seconds(30)))
        << refusal.message;
    expect_on_all_nodes("a", bytes);
}

}  // namespace sfg::test
