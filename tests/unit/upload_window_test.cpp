// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/window.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/support/memory_store.hpp"
#include "tests/unit/transfer_client.hpp"

namespace sfg::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kMB = 1'000'000;

// A client that always has more, and a storage that confirms so many bytes a second, a flush taking
// `latency` besides: what is on its way after a while, in milliseconds of the storage's time.
struct Steady {
    std::chrono::milliseconds latency{1};
    Window window = {};
    Clock::time_point now{};
    std::uint64_t on_its_way = 0;
    std::uint64_t confirmed = 0;

    void run(std::uint64_t bytes_a_second, std::chrono::milliseconds for_so_long) {
        const auto end = now + for_so_long;
        while (now < end) {
            if (on_its_way < window.bytes()) {
                window.took(window.bytes() - on_its_way, now);
                on_its_way = window.bytes();
            }
            const std::uint64_t flushed = std::max<std::uint64_t>(1, on_its_way / 2);
            now += std::chrono::nanoseconds(flushed * 1'000'000'000 / bytes_a_second) + latency;
            window.confirmed(flushed, now);
            on_its_way -= flushed;
            confirmed += flushed;
        }
    }
    std::uint64_t milliseconds(std::uint64_t bytes_a_second) const {
        return window.bytes() * 1000 / bytes_a_second;
    }
};

TEST(TheWindow, IsWhatTheStorageConfirmsInTheTimeThatThereIs) {
    for (const std::uint64_t rate : {kMB, 5 * kMB / 2, 12 * kMB, 20 * kMB, 100 * kMB}) {
        Steady upload;
        upload.run(rate, 20s);
        EXPECT_LE(upload.milliseconds(rate), 600u) << rate;
        EXPECT_GE(upload.milliseconds(rate), 100u) << rate;
    }
}

TEST(TheWindow, FollowsARateThatFallsByTen) {
    Steady upload;
    upload.run(20 * kMB, 5s);
    upload.run(2 * kMB, 10s);
    EXPECT_LE(upload.milliseconds(2 * kMB), 600u);
    upload.run(20 * kMB, 10s);
    EXPECT_GE(upload.milliseconds(20 * kMB), 100u);
}

// Disks that guests keep busy: a smaller window would make nothing faster.
TEST(TheWindow, DoesNotShrinkForFlushesThatTakeTheirTime) {
    for (const auto latency : {20ms, 50ms, 80ms, 120ms, 180ms, 220ms, 300ms, 450ms})
        for (const std::uint64_t rate : {100 * kMB, 500 * kMB}) {
            Steady upload{latency};
            upload.run(rate, 60s);
            EXPECT_GE(upload.confirmed / 60, 5 * kMB)
                << latency.count() << " ms, " << rate << ", window " << upload.window.bytes();
            // Two flushes and what is on its way: what a finish waits for.
            if (latency <= 220ms) {
                EXPECT_LE(upload.milliseconds(rate) + 2 * static_cast<unsigned>(latency.count()),
                          800u)
                    << latency.count() << " ms, " << rate;
            }
        }
}

TEST(TheWindow, FollowsAFlushThatBecomesSlow) {
    Steady upload;
    upload.run(100 * kMB, 10s);
    upload.latency = 250ms;
    upload.run(100 * kMB, 20s);
    const auto before = upload.confirmed;
    upload.run(100 * kMB, 20s);
    EXPECT_GE((upload.confirmed - before) / 20, 5 * kMB) << upload.window.bytes();
    upload.latency = 1ms;
    upload.run(100 * kMB, 20s);
    EXPECT_GE(upload.milliseconds(100 * kMB), 100u);
}

TEST(TheWindow, OfAFastStorageGrowsInAFewSteps) {
    Steady upload;
    upload.run(1000 * kMB, 1s);
    EXPECT_GE(upload.window.bytes(), 64 * kMB);
}

TEST(TheWindow, IsNotOpenedByAClientThatSendsLittle) {
    Window window;
    Clock::time_point now{};
    for (int i = 0; i < 1000; ++i) {
        window.took(1000, now);
        window.confirmed(1000, now += 1ms);
    }
    EXPECT_EQ(window.bytes(), Window::kFirst);
}

// Takes a few megabytes at once, as sockets and caches on the way do, and confirms so many a
// second.
class SlowStore : public MemoryStore {
  public:
    explicit SlowStore(std::uint64_t bytes_a_second) : rate_(bytes_a_second), last_(Clock::now()) {}

    void becomes(std::uint64_t bytes_a_second) {
        const std::lock_guard held(mutex_);
        drain();
        rate_ = bytes_a_second;
    }

    Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        wait_until([&] { return coming_ - stored_ < kBuffer; });
        SFG_TRY(MemoryStore::write_at(offset, data));
        const std::lock_guard held(mutex_);
        drain();
        coming_ += data.size();
        return {};
    }
    Result<void> flush() override {
        std::uint64_t all = 0;
        wait_until([&] {
            if (all == 0) all = coming_;
            return stored_ >= all;
        });
        return {};
    }

  private:
    static constexpr std::uint64_t kBuffer = 4 * kMB;

    void drain() {
        const auto now = Clock::now();
        const auto most = static_cast<std::uint64_t>(
            std::chrono::duration<double>(now - last_).count() * static_cast<double>(rate_));
        stored_ = std::min(coming_, stored_ + most);
        last_ = now;
    }
    template <typename Question>
    void wait_until(Question question) {
        while (true) {
            {
                const std::lock_guard held(mutex_);
                drain();
                if (question()) return;
            }
            std::this_thread::sleep_for(1ms);
        }
    }

    std::mutex mutex_;
    std::uint64_t rate_;
    Clock::time_point last_;
    std::uint64_t coming_ = 0;
    std::uint64_t stored_ = 0;
};

void upload_to(
    const std::shared_ptr<SlowStore>& store, std::size_t bytes,
    const std::function<void()>& half_way = [] {}) {
    auto begun =
        start_upload("volume 'v'", store, 0, 0, [store](std::uint64_t) { return store->flush(); });
    ASSERT_TRUE(begun);
    TransferClient client(*begun);
    const Bytes all = noise(bytes, 1);
    const auto half = std::span(all).first(bytes / 2);
    ASSERT_FALSE(client.send_all(half, 256 << 10));
    half_way();
    ASSERT_FALSE(client.send_all(std::span(all).subspan(bytes / 2), 256 << 10));
    const auto finished = client.finish();
    EXPECT_TRUE(finished) << finished.error().message();
    EXPECT_TRUE(same(store->bytes(0, bytes), all));
}

TEST(AnUploadToSlowStorage, IsStoredWhenItIsFinished) {
    for (const std::uint64_t rate : {5 * kMB / 2, 12 * kMB, 20 * kMB})
        for (const std::size_t bytes : {std::size_t{700'000}, std::size_t{6 * kMB}})
            upload_to(std::make_shared<SlowStore>(rate), bytes);
}

TEST(AnUploadToSlowStorage, ThatBecomesTenTimesAsSlowIsStoredWhenItIsFinished) {
    const auto store = std::make_shared<SlowStore>(20 * kMB);
    upload_to(store, 16 * kMB, [&] { store->becomes(2 * kMB); });
}

}  // namespace
}  // namespace sfg::test
