// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <future>
#include <limits>
#include <new>
#include <optional>
#include <random>
#include <string_view>
#include <thread>

#include "driver/core/log.hpp"
#include "driver/transfer/pieces.hpp"
#include "driver/transfer/window.hpp"
#include "tests/support/hanging_store.hpp"
#include "tests/unit/transfer_client.hpp"

namespace sfg::test {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kNoEnd = 0;  // as a limit
using Call = FaultStore::Call;
using Clock = std::chrono::steady_clock;

// An upload is complete when the file is flushed, as the driver's own do it.
std::shared_ptr<Transfer> upload(std::shared_ptr<ByteSource> file, std::uint64_t offset = 0,
                                 std::uint64_t limit = kNoEnd) {
    auto begun = start_upload("volume 'v'", file, offset, limit,
                              [file](std::uint64_t) { return file->flush(); });
    EXPECT_TRUE(begun);
    return *begun;
}

TEST(AnUpload, IsWhatStandsInTheFileAfterwards) {
    std::minstd_rand random(1);
    for (int round = 0; round < 40; ++round) {
        const Bytes old = noise(random() % (3 * kMiB), 1);
        const Bytes bytes = noise(random() % (6 * kMiB), static_cast<unsigned>(round) + 2);
        const std::uint64_t offset = round % 2 == 0 ? 0 : random() % (4 * kMiB);
        const std::size_t chunk = random() % (300 << 10) + 1;
        auto file = std::make_shared<MemoryStore>(old);
        TransferClient client(upload(file, offset, round % 3 == 0 ? kNoEnd : bytes.size()));
        const auto failed = client.send_all(bytes, chunk);
        ASSERT_FALSE(failed) << failed->message();
        const auto finished = client.finish();
        ASSERT_TRUE(finished) << finished.error().message();
        // What is before and behind it stays.
        Bytes expected = old;
        expected.resize(std::max(
            expected.size(), bytes.empty() ? 0 : static_cast<std::size_t>(offset) + bytes.size()));
        std::copy(bytes.begin(), bytes.end(),
                  expected.begin() + static_cast<std::ptrdiff_t>(bytes.empty() ? 0 : offset));
        ASSERT_EQ(*file->size(), expected.size());
        ASSERT_TRUE(same(file->bytes(0, expected.size()), expected))
            << bytes.size() << " bytes to " << offset << ", " << chunk << " a time";
    }
}

TEST(AnUpload, OfALargeFileIsFlushedMeanwhile) {
    const Bytes bytes = noise(200 * kMiB, 3);
    auto hangs = std::make_shared<Hangs>();
    auto memory = std::make_shared<MemoryStore>();
    TransferClient client(upload(std::make_shared<HangingStore>(memory, hangs)));
    EXPECT_FALSE(client.send_all(bytes, 256 << 10));
    EXPECT_GE(hangs->count(Call::flush), 1U) << "or finish would have to flush all of it";
    EXPECT_TRUE(client.finish());
    EXPECT_TRUE(same(memory->bytes(0, bytes.size()), bytes));
}

TEST(AnUpload, IsCompletedOnceAndToldItsEnd) {
    auto file = std::make_shared<MemoryStore>();
    std::vector<std::uint64_t> ends;
    auto begun = start_upload("volume 'v'", file, 1000, kNoEnd, [&](std::uint64_t end) {
        ends.push_back(end);
        EXPECT_TRUE(same(file->bytes(1000, 3 * kMiB), noise(3 * kMiB, 4))) << "all is written";
        return Result<void>();
    });
    ASSERT_TRUE(begun);
    TransferClient client(*begun);
    EXPECT_FALSE(client.send_all(noise(3 * kMiB, 4), 65536));
    EXPECT_TRUE(ends.empty());
    EXPECT_TRUE(client.transfer().hole(500));
    EXPECT_TRUE(client.finish());
    EXPECT_EQ(ends, std::vector<std::uint64_t>{3 * kMiB + 1500});
}

TEST(AnUpload, IsReleasedByTheTimeItIsFinished) {
    auto file = std::make_shared<MemoryStore>();
    const std::weak_ptr<ByteSource> seen = file;
    TransferClient client(upload(std::move(file)));
    EXPECT_FALSE(client.send_all(noise(5 * kMiB, 25), 65536));
    EXPECT_FALSE(seen.expired());
    EXPECT_TRUE(client.finish());
    EXPECT_TRUE(seen.expired()) << "who works with the volume next would find it in use";
}

TEST(AnUpload, OfNothingIsCompletedToo) {
    auto file = std::make_shared<FaultStore>(MemoryStore(noise(10, 5)));
    TransferClient client(upload(file));
    EXPECT_TRUE(client.is_ready(POLLOUT));
    EXPECT_TRUE(client.finish());
    EXPECT_EQ(file->count(Call::flush), 1U);
    EXPECT_EQ(file->count(Call::write), 0U);
    EXPECT_TRUE(same(file->content().bytes(0, 10), noise(10, 5)));
}

TEST(AnUpload, WaitsForWhoWantsToWait) {
    auto file = std::make_shared<MemoryStore>();
    const auto transfer = upload(file);
    const Bytes bytes = noise(60 * kMiB, 6);
    for (std::size_t at = 0; at < bytes.size();) {
        const auto sent = transfer->send(std::span(bytes).subspan(at), true);
        ASSERT_TRUE(sent);
        ASSERT_TRUE(*sent);
        ASSERT_GT(**sent, 0U);
        at += **sent;
    }
    EXPECT_TRUE(transfer->finish());
    EXPECT_TRUE(same(file->bytes(0, bytes.size()), bytes));
}

TEST(AnUpload, MakesHolesOfHoles) {
    for (const bool discards : {true, false}) {
        SCOPED_TRACE(discards ? "storage that discards" : "storage that does not");
        std::minstd_rand random(7);
        for (int round = 0; round < 15; ++round) {
            const Bytes old = noise(random() % (8 * kMiB), 2);
            auto file = std::make_shared<MemoryStore>(old);
            file->set_discards(discards);
            TransferClient client(upload(file));
            Bytes expected;
            while (expected.size() < 6 * kMiB) {
                const std::size_t length = random() % kMiB + 1;
                if (random() % 2 == 0) {
                    ASSERT_TRUE(client.transfer().hole(length));
                    expected.resize(expected.size() + length);
                } else {
                    const Bytes data = noise(length, static_cast<unsigned>(random()));
                    ASSERT_FALSE(client.send_all(data, 200'000));
                    expected.insert(expected.end(), data.begin(), data.end());
                }
            }
            ASSERT_TRUE(client.finish());
            if (old.size() > expected.size())
                expected.insert(expected.end(),
                                old.begin() + static_cast<std::ptrdiff_t>(expected.size()),
                                old.end());
            ASSERT_EQ(*file->size(), expected.size());
            ASSERT_TRUE(same(file->bytes(0, expected.size()), expected));
        }
    }
}

TEST(AnUpload, OfAHoleOfTerabytesTakesAMoment) {
    constexpr std::uint64_t kSize = std::uint64_t{60} << 40;
    auto file = std::make_shared<MemoryStore>(noise(kMiB, 8));
    TransferClient client(upload(file, 0, kSize));
    EXPECT_TRUE(client.transfer().hole(kSize - 3));
    EXPECT_FALSE(client.send_all(noise(3, 9), 3));
    EXPECT_TRUE(client.finish());
    EXPECT_EQ(*file->size(), kSize);
    EXPECT_TRUE(same(file->bytes(kSize - 3, 3), noise(3, 9)));
    EXPECT_EQ(file->written_bytes(), 4096U);
}

TEST(AnUpload, TakesAHoleWhereItTakesNoBytes) {
    auto hangs = std::make_shared<Hangs>();
    hangs->hang(Call::write);
    auto memory = std::make_shared<MemoryStore>();
    TransferClient client(upload(std::make_shared<HangingStore>(memory, hangs)));
    const Bytes bytes = noise(50 * kMiB, 10);
    std::size_t taken = client.send_what_fits(bytes);
    ASSERT_TRUE(hangs->wait_until_hanging(1));
    taken += client.send_what_fits(std::span(bytes).subspan(taken));
    ASSERT_FALSE(client.is_ready(POLLOUT));
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(client.transfer().hole(kMiB));
    EXPECT_FALSE(client.is_ready(POLLOUT));
    hangs->release();
    EXPECT_FALSE(client.send_all(noise(100, 11), 100));
    EXPECT_TRUE(client.finish());
    EXPECT_EQ(*memory->size(), taken + 1000 * kMiB + 100);
    EXPECT_TRUE(same(memory->bytes(0, taken), part_of(bytes, 0, taken)));
    EXPECT_TRUE(same(memory->bytes(taken + 1000 * kMiB, 100), noise(100, 11)));
}

TEST(AnUpload, TakesNoMoreThanItMayKeep) {
    auto hangs = std::make_shared<Hangs>();
    hangs->hang(Call::write);
    auto memory = std::make_shared<MemoryStore>();
    TransferClient client(upload(std::make_shared<HangingStore>(memory, hangs)));
    const Bytes bytes = noise(100 * kMiB, 12);
    std::size_t taken = client.send_what_fits(bytes);
    ASSERT_TRUE(hangs->wait_until_hanging(1));
    taken += client.send_what_fits(std::span(bytes).subspan(taken));
    EXPECT_EQ(taken, Window::kFirst);
    EXPECT_FALSE(client.is_ready(POLLOUT));
    const auto full = client.transfer().send(bytes, false);
    ASSERT_TRUE(full);
    EXPECT_FALSE(*full);
    hangs->release();
    EXPECT_FALSE(client.send_all(std::span(bytes).subspan(taken), kMiB));
    EXPECT_TRUE(client.finish());
    EXPECT_TRUE(same(memory->bytes(0, bytes.size()), bytes));
}

TEST(AnUpload, OfTinyDataBetweenHolesKeepsAsLittle) {
    // Each of these is a piece, with memory for a whole one.
    auto hangs = std::make_shared<Hangs>();
    hangs->hang(Call::write);
    hangs->hang(Call::resize);
    auto memory = std::make_shared<MemoryStore>();
    TransferClient client(upload(std::make_shared<HangingStore>(memory, hangs)));
    Bytes expected;
    const auto byte = noise(1, 13);
    int taken = 0;
    for (; taken < 1000 && client.send_what_fits(byte) == 1; ++taken) {
        expected.push_back(byte.front());
        ASSERT_TRUE(client.transfer().hole(10'000));
        expected.resize(expected.size() + 10'000);
    }
    EXPECT_LE(taken, 32);
    hangs->release();
    for (; taken < 1000; ++taken) {
        ASSERT_FALSE(client.send_all(byte, 1));
        expected.push_back(byte.front());
        ASSERT_TRUE(client.transfer().hole(10'000));
        expected.resize(expected.size() + 10'000);
    }
    EXPECT_TRUE(client.finish());
    EXPECT_EQ(*memory->size(), expected.size());
    EXPECT_TRUE(same(memory->bytes(0, expected.size()), expected));
}

TEST(AnUpload, LeavesNoMoreUnflushedThanFinishCanFlush) {
    // A flush that does not come back stops the writing before long.
    auto hangs = std::make_shared<Hangs>();
    hangs->hang(Call::flush);
    auto memory = std::make_shared<MemoryStore>();
    TransferClient client(upload(std::make_shared<HangingStore>(memory, hangs)));
    const Bytes bytes = noise(200 * kMiB, 14);
    std::size_t taken = 0;
    while (client.is_ready(POLLOUT, 200)) {
        ASSERT_LT(taken, bytes.size());
        taken += client.send_what_fits(std::span(bytes).subspan(taken));
    }
    EXPECT_EQ(hangs->bytes(Call::write), Window::kFirst);
    hangs->release();
    EXPECT_FALSE(client.send_all(std::span(bytes).subspan(taken), kMiB));
    EXPECT_TRUE(client.finish());
    EXPECT_TRUE(same(memory->bytes(0, bytes.size()), bytes));
}

TEST(AnUpload, OfMoreThanWasAnnouncedIsRefused) {
    auto file = std::make_shared<MemoryStore>();
    TransferClient client(upload(file, 100, 1000));
    const Bytes bytes = noise(1500, 15);
    const auto failed = client.send_all(bytes, 700);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind(), ErrorKind::no_space);
    EXPECT_NE(failed->message().find("1000"), std::string::npos);
    client.abort();
    EXPECT_LE(*file->size(), 1100U);
}

TEST(AnUpload, OfAsMuchAsWasAnnouncedIsNot) {
    auto file = std::make_shared<MemoryStore>();
    TransferClient client(upload(file, 100, 1000));
    EXPECT_FALSE(client.send_all(noise(1000, 16), 333));
    // libvirt ends a stream with an empty message.
    const auto nothing = client.transfer().send({}, false);
    ASSERT_TRUE(nothing);
    EXPECT_EQ(*nothing, std::optional(std::size_t{0}));
    EXPECT_TRUE(client.finish());
    EXPECT_EQ(*file->size(), 1100U);
}

TEST(AnUpload, ToTheEndOfAllFilesFails) {
    constexpr auto kLast = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    TransferClient client(upload(std::make_shared<MemoryStore>()));
    EXPECT_TRUE(client.transfer().hole(kLast - 10));
    EXPECT_TRUE(client.transfer().hole(kLast)) << "told later";
    ASSERT_TRUE(client.wait_for(POLLOUT));
    EXPECT_FALSE(client.transfer().send(noise(1, 17), false));
    const auto finished = client.finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().system_errno(), EFBIG);
}

// What the storage meets is told at the next send, which the descriptor asks for, and at the end.
class AnUploadMeets : public testing::TestWithParam<Call> {};

TEST_P(AnUploadMeets, AnError) {
    auto file = std::make_shared<FaultStore>();
    file->faults().fail_kind = GetParam();
    file->faults().error = Error(ErrorKind::no_space, ENOSPC, "the brick is full");
    TransferClient client(upload(file));
    if (GetParam() == Call::resize) {
        EXPECT_TRUE(client.transfer().hole(kMiB));
    }
    const Bytes bytes = noise(100 * kMiB, 18);
    const auto failed = client.send_all(bytes, kMiB);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind(), ErrorKind::no_space);
    EXPECT_NE(failed->message().find("volume 'v'"), std::string::npos);
    EXPECT_NE(failed->message().find("the brick is full"), std::string::npos);
    EXPECT_TRUE(client.is_ready(POLLOUT));
    EXPECT_FALSE(client.transfer().send(bytes, false)) << "and again";
    EXPECT_TRUE(client.transfer().hole(5)) << "libvirt loses the words of an error here";
    const auto begun = Clock::now();
    const auto finished = client.finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().kind(), ErrorKind::no_space);
    EXPECT_LT(Clock::now() - begun, std::chrono::milliseconds(900));
}

INSTANTIATE_TEST_SUITE_P(At, AnUploadMeets, testing::Values(Call::write, Call::flush, Call::resize),
                         [](const auto& test) {
                             return test.param == Call::write   ? "Writing"
                                    : test.param == Call::flush ? "Flushing"
                                                                : "MakingAHole";
                         });

TEST(AnUpload, WithAnErrorInItsLastBytesFailsAtFinish) {
    auto file = std::make_shared<FaultStore>();
    file->faults().fail_kind = Call::write;
    TransferClient client(upload(file));
    (void)client.transfer().send(noise(100, 19), false);
    EXPECT_FALSE(client.finish());
    EXPECT_EQ(file->count(Call::flush), 0U) << "it was not completed";
}

TEST(AnUpload, ThatCannotBeCompletedFails) {
    for (const bool throws : {false, true}) {
        auto file = std::make_shared<MemoryStore>();
        auto begun =
            start_upload("volume 'v'", file, 0, kNoEnd, [=](std::uint64_t) -> Result<void> {
                if (throws) throw std::bad_alloc();
                return Error(ErrorKind::no_space, ENOSPC, "no room to pad it");
            });
        ASSERT_TRUE(begun);
        TransferClient client(*begun);
        EXPECT_FALSE(client.send_all(noise(5000, 20), 5000));
        const auto finished = client.finish();
        ASSERT_FALSE(finished);
        EXPECT_EQ(finished.error().kind(), throws ? ErrorKind::io : ErrorKind::no_space);
        EXPECT_NE(finished.error().message().find("volume 'v'"), std::string::npos);
    }
}

// gluster does not answer: libvirtd's event loop gets its answer all the same, the upload ends when
// gluster comes back, and then nobody holds the file.
class AHangingUpload : public testing::TestWithParam<Call> {
  protected:
    void SetUp() override {
        hangs_->hang(GetParam());
        auto file = std::make_shared<HangingStore>(memory_, hangs_);
        seen_ = file;
        auto begun = start_upload("volume 'v'", file, 0, kNoEnd, [this, file](std::uint64_t) {
            completed_ = true;
            return file->flush();
        });
        ASSERT_TRUE(begun);
        client_.emplace(*begun);
        ASSERT_FALSE(client_->send_all(bytes_, 100'000));
        if (GetParam() == Call::resize) {
            EXPECT_TRUE(client_->transfer().hole(kMiB));
        }
    }

    bool is_released() {
        return comes_true([this] { return seen_.expired(); });
    }

    const Bytes bytes_ = noise(Window::kFirst - 5, 21);
    const std::shared_ptr<MemoryStore> memory_ = std::make_shared<MemoryStore>();
    const std::shared_ptr<Hangs> hangs_ = std::make_shared<Hangs>();
    std::weak_ptr<ByteSource> seen_;
    std::optional<TransferClient> client_;
    std::atomic<bool> completed_ = false;
};

std::atomic<int> stored_lines;

TEST_P(AHangingUpload, IsFinishedWithinASecondWithAnError) {
    stored_lines = 0;
    set_log_sink([](LogLevel, const char* message) {
        if (std::string_view(message).find("is stored by now") != std::string_view::npos)
            ++stored_lines;
    });
    const auto begun = Clock::now();
    const auto finished = client_->finish();
    const auto took = Clock::now() - begun;
    EXPECT_LT(took, std::chrono::milliseconds(1500));
    EXPECT_GE(took, std::chrono::milliseconds(900)) << "gluster may need that long";
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().kind(), ErrorKind::not_connected);
    EXPECT_NE(finished.error().message().find("volume 'v'"), std::string::npos);
    EXPECT_FALSE(seen_.expired());
    hangs_->release();
    EXPECT_TRUE(is_released());
    EXPECT_TRUE(comes_true([] { return stored_lines == 1; })) << "who was told no hears of it";
    set_log_sink(nullptr);
    EXPECT_TRUE(completed_);
    EXPECT_TRUE(same(memory_->bytes(0, bytes_.size()), bytes_));
}

TEST_P(AHangingUpload, IsAbortedInAMoment) {
    if (GetParam() != Call::flush) {
        ASSERT_TRUE(comes_true([this] { return hangs_->hanging() > 0; }));
    }
    const auto begun = Clock::now();
    client_->abort();
    EXPECT_LT(Clock::now() - begun, kAbortLimit + std::chrono::milliseconds(300));
    hangs_->release();
    EXPECT_TRUE(is_released());
    EXPECT_FALSE(completed_) << "nobody has said that this was all";
}

INSTANTIATE_TEST_SUITE_P(In, AHangingUpload,
                         testing::Values(Call::write, Call::flush, Call::resize),
                         [](const auto& test) {
                             return test.param == Call::write   ? "Writing"
                                    : test.param == Call::flush ? "Flushing"
                                                                : "MakingAHole";
                         });

TEST(AnUpload, ThatComesBackInTimeIsFinished) {
    auto hangs = std::make_shared<Hangs>();
    hangs->hang(Call::flush);
    TransferClient client(
        upload(std::make_shared<HangingStore>(std::make_shared<MemoryStore>(), hangs)));
    ASSERT_FALSE(client.send_all(noise(1000, 22), 1000));
    auto finished = std::async(std::launch::async, [&] { return client.finish(); });
    ASSERT_TRUE(hangs->wait_until_hanging(1));
    hangs->release();
    EXPECT_TRUE(finished.get());
}

TEST(AnUpload, ThatIsAbortedKeepsWhatWasWrittenAndIsReleased) {
    for (int round = 0; round < 20; ++round) {
        auto file = std::make_shared<MemoryStore>();
        const std::weak_ptr<ByteSource> seen = file;
        auto begun = start_upload("volume 'v'", std::move(file), 0, kNoEnd, [](std::uint64_t) {
            ADD_FAILURE() << "completed";
            return Result<void>();
        });
        ASSERT_TRUE(begun);
        {
            TransferClient client(*std::move(begun));
            client.send_what_fits(noise(20 * kMiB, 23));
            client.abort();
        }
        EXPECT_TRUE(comes_true([&] { return seen.expired(); }));
    }
}

TEST(AnUpload, WakesWhoWaitsWhenItIsAborted) {
    auto hangs = std::make_shared<Hangs>();
    hangs->hang(Call::write);
    const auto transfer =
        upload(std::make_shared<HangingStore>(std::make_shared<MemoryStore>(), hangs));
    const Bytes bytes = noise(50 * kMiB, 24);
    // Not an async's future, whose end would wait as long as the sender does.
    auto ended = std::make_shared<std::promise<void>>();
    std::thread([transfer, bytes, ended] {
        for (std::size_t at = 0; at < bytes.size();) {
            const auto sent = transfer->send(std::span(bytes).subspan(at), true);
            if (!sent || !*sent) break;
            at += **sent;
        }
        ended->set_value();
    }).detach();
    ASSERT_TRUE(hangs->wait_until_hanging(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    transfer->abort();
    EXPECT_EQ(ended->get_future().wait_for(std::chrono::seconds(2)), std::future_status::ready);
    hangs->release();
}

TEST(AnUpload, GivesNoBytes) {
    const auto transfer = upload(std::make_shared<MemoryStore>());
    Bytes buffer(1);
    EXPECT_FALSE(transfer->receive(buffer, false));
    EXPECT_FALSE(transfer->next_section());
    transfer->abort();
}

}  // namespace
}  // namespace sfg::test
