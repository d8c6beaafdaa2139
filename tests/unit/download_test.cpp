// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include <cerrno>
#include <future>
#include <random>
#include <thread>

#include "driver/transfer/pieces.hpp"
#include "tests/support/hanging_store.hpp"
#include "tests/unit/transfer_client.hpp"

namespace sfg::test {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
using Call = FaultStore::Call;
using Clock = std::chrono::steady_clock;

std::shared_ptr<Transfer> download(std::shared_ptr<ByteSource> file, Extent range,
                                   bool sparse = false) {
    auto begun = start_download("volume 'v'", std::move(file), range, sparse);
    EXPECT_TRUE(begun);
    return *begun;
}

// Data and holes of random lengths.
std::shared_ptr<MemoryStore> scattered(std::uint64_t size, unsigned seed) {
    auto file = std::make_shared<MemoryStore>();
    std::minstd_rand random(seed + 1);
    for (std::uint64_t at = random() % kMiB; at < size;) {
        const std::uint64_t length = std::min<std::uint64_t>(random() % kMiB + 1, size - at);
        EXPECT_TRUE(file->write_at(at, noise(static_cast<std::size_t>(length), seed)));
        at += length + random() % (2 * kMiB);
    }
    EXPECT_TRUE(file->resize(size));
    return file;
}

TEST(ADownload, IsWhatStandsInTheFile) {
    std::minstd_rand random(1);
    for (int round = 0; round < 40; ++round) {
        const std::uint64_t size = random() % (6 * kMiB);
        const auto file = scattered(size, static_cast<unsigned>(random()));
        file->set_knows_holes(round % 2 == 0);
        const std::uint64_t offset = random() % (size + 1);
        const std::uint64_t length =
            round % 3 == 0 ? size - offset : random() % (size - offset + 1);
        const std::size_t chunk = random() % (300 << 10) + 1;
        TransferClient client(download(file, {offset, length}));
        const auto received = client.receive_all(chunk);
        ASSERT_FALSE(received.error) << received.error->message();
        ASSERT_TRUE(same(received.bytes, file->bytes(offset, static_cast<std::size_t>(length))))
            << size << " bytes, from " << offset << " on, " << chunk << " a time";
        EXPECT_TRUE(client.finish());
    }
}

TEST(ADownload, OfALargeFileComesByTheSmallChunkToo) {
    const auto file = std::make_shared<MemoryStore>(noise(40 * kMiB + 1, 2));
    TransferClient client(download(file, {0, 40 * kMiB + 1}));
    const auto received = client.receive_all(4096);
    EXPECT_FALSE(received.error);
    EXPECT_TRUE(same(received.bytes, file->bytes(0, 40 * kMiB + 1)));
}

TEST(ADownload, OfNothingEndsAtOnce) {
    const auto file = std::make_shared<MemoryStore>(noise(1000, 3));
    for (const std::uint64_t offset : {0u, 500u, 1000u}) {
        TransferClient client(download(file, {offset, 0}, offset == 500));
        const auto received = client.receive_all(10);
        EXPECT_FALSE(received.error);
        EXPECT_TRUE(received.bytes.empty());
        EXPECT_TRUE(client.is_ready(POLLIN)) << "the end can be asked for again";
        EXPECT_EQ(client.transfer().next_section()->length, 0U);
        EXPECT_TRUE(client.finish());
    }
}

TEST(ADownload, WaitsForWhoWantsToWait) {
    const auto file = scattered(10 * kMiB, 4);
    const auto transfer = download(file, {0, 10 * kMiB});
    Bytes all, buffer(100'000);
    while (true) {
        const auto got = transfer->receive(buffer, true);
        ASSERT_TRUE(got);
        ASSERT_TRUE(*got);
        if (**got == 0) break;
        all.insert(all.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(**got));
    }
    EXPECT_TRUE(same(all, file->bytes(0, 10 * kMiB)));
    EXPECT_TRUE(transfer->finish());
}

TEST(ADownload, TellsItsHoles) {
    std::minstd_rand random(5);
    for (int round = 0; round < 20; ++round) {
        const std::uint64_t size = random() % (12 * kMiB) + 1;
        const auto file = scattered(size, static_cast<unsigned>(random()));
        const bool knows = round % 2 == 0;
        file->set_knows_holes(knows);
        const std::uint64_t offset = random() % size;
        TransferClient client(download(file, {offset, size - offset}, true));
        std::vector<Transfer::Section> sections;
        const auto received = client.receive_sparsely(random() % (300 << 10) + 1, sections);
        ASSERT_FALSE(received.error) << received.error->message();
        ASSERT_TRUE(
            same(received.bytes, file->bytes(offset, static_cast<std::size_t>(size - offset))));
        EXPECT_TRUE(client.finish());
    }
}

TEST(ADownload, TellsAsManyHolesAsThereAre) {
    for (const bool knows : {true, false}) {
        SCOPED_TRACE(knows ? "told by the storage" : "found");
        auto file = std::make_shared<MemoryStore>();
        ASSERT_TRUE(file->resize(8 * kMiB));
        ASSERT_TRUE(file->write_at(3 * kMiB, noise(4096, 6)));
        file->set_knows_holes(knows);
        TransferClient client(download(file, {0, 8 * kMiB}, true));
        std::vector<Transfer::Section> sections;
        const auto received = client.receive_sparsely(kMiB, sections);
        std::uint64_t holes = 0, data = 0;
        for (const auto& section : sections) (section.data ? data : holes) += section.length;
        EXPECT_EQ(data, 4096U);
        EXPECT_EQ(holes, 8 * kMiB - 4096);
        EXPECT_TRUE(same(received.bytes, file->bytes(0, 8 * kMiB)));
    }
}

TEST(ADownload, OfAHoleOfTerabytesIsOneSection) {
    constexpr std::uint64_t kSize = std::uint64_t{60} << 40;
    auto file = std::make_shared<MemoryStore>();
    ASSERT_TRUE(file->resize(kSize));
    ASSERT_TRUE(file->write_at(kSize - 5, noise(5, 7)));
    TransferClient client(download(file, {0, kSize}, true));
    ASSERT_TRUE(client.wait_for(POLLIN));
    const auto hole = client.transfer().next_section();
    ASSERT_TRUE(hole);
    EXPECT_FALSE(hole->data);
    EXPECT_EQ(hole->length, kSize - 4096);
    EXPECT_TRUE(client.transfer().hole(hole->length));
    const auto received = client.receive_all(kMiB);
    EXPECT_EQ(received.bytes.size(), 4096U);
    EXPECT_TRUE(same(part_of(received.bytes, 4091, 4096), noise(5, 7)));
}

TEST(ADownload, PassesOverAPartOfAHole) {
    auto file = std::make_shared<MemoryStore>();
    ASSERT_TRUE(file->write_at(kMiB, noise(100, 8)));
    TransferClient client(download(file, {0, kMiB + 100}, true));
    ASSERT_TRUE(client.wait_for(POLLIN));
    EXPECT_TRUE(client.transfer().hole(1000));
    const auto rest = client.transfer().next_section();
    ASSERT_TRUE(rest);
    EXPECT_FALSE(rest->data);
    EXPECT_EQ(rest->length, kMiB - 1000);
    const auto received = client.receive_all(5000);
    EXPECT_TRUE(same(received.bytes, file->bytes(1000, kMiB - 900)));
}

TEST(ADownload, ToldWithoutHolesIsAllData) {
    // The client did not ask for them, and zeros are bytes like others.
    auto file = std::make_shared<MemoryStore>(Bytes(3 * kMiB));
    file->set_knows_holes(false);
    TransferClient client(download(file, {0, 3 * kMiB}, false));
    ASSERT_TRUE(client.wait_for(POLLIN));
    EXPECT_TRUE(client.transfer().next_section()->data);
    EXPECT_TRUE(same(client.receive_all(kMiB).bytes, Bytes(3 * kMiB)));
}

// A file of 20 MiB whose reads fail from there on.
class FailingFrom : public MemoryStore {
  public:
    FailingFrom(const Bytes& content, std::uint64_t from) : MemoryStore(content), from_(from) {}
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        if (offset + buffer.size() > from_)
            return Error(ErrorKind::io, EIO, "a brick has lost a block");
        return MemoryStore::read_at(offset, buffer);
    }

  private:
    std::uint64_t from_;
};

TEST(ADownload, ThatFailsHasGivenNothingButGoodBytes) {
    const Bytes content = noise(20 * kMiB, 9);
    for (const std::uint64_t from : {0UL, 1UL, 5 * kMiB + 1, 12 * kMiB, 20 * kMiB - 1}) {
        TransferClient client(
            download(std::make_shared<FailingFrom>(content, from), {0, 20 * kMiB}, true));
        const auto received = client.receive_all(100'000);
        ASSERT_TRUE(received.error);
        EXPECT_NE(received.error->message().find("a brick has lost a block"), std::string::npos);
        EXPECT_NE(received.error->message().find("volume 'v'"), std::string::npos);
        EXPECT_LE(received.bytes.size(), from);
        EXPECT_TRUE(same(received.bytes, part_of(content, 0, received.bytes.size())));
        EXPECT_FALSE(client.is_ready(POLLIN)) << "libvirt's event loop would tell it for ever";
        EXPECT_FALSE(client.transfer().next_section());
        EXPECT_FALSE(client.finish());
    }
}

TEST(ADownload, GivesWhatWasReadBeforeAnError) {
    // Read and waiting to be fetched; the piece that fails comes later.
    const Bytes content = noise(20 * kMiB, 10);
    auto hangs = std::make_shared<Hangs>();
    hangs->hang(Call::read, 10 * kMiB);
    TransferClient client(download(
        std::make_shared<HangingStore>(std::make_shared<FailingFrom>(content, 10 * kMiB), hangs),
        {0, 20 * kMiB}));
    ASSERT_TRUE(hangs->wait_until_hanging(kTransferThreads));
    hangs->release();
    ASSERT_TRUE(client.wait_for(POLLIN));
    const auto received = client.receive_all(100'000);
    EXPECT_TRUE(received.error);
    EXPECT_TRUE(same(received.bytes, part_of(content, 0, 10 * kMiB)));
}

TEST(ADownload, FailsWhereLookingForDataDoes) {
    auto file = std::make_shared<FaultStore>(MemoryStore(noise(1000, 11)));
    file->faults().fail_kind = Call::find_data;
    TransferClient client(download(file, {0, 1000}));
    const auto received = client.receive_all(1000);
    EXPECT_TRUE(received.error);
    EXPECT_TRUE(received.bytes.empty());
}

TEST(ADownload, OfAFileThatBecomesShorterFails) {
    auto file = std::make_shared<MemoryStore>(noise(1000, 12));
    file->set_knows_holes(false);
    TransferClient client(download(file, {0, 1001}));
    const auto received = client.receive_all(1000);
    ASSERT_TRUE(received.error);
    EXPECT_NE(received.error->message().find("shorter"), std::string::npos);
}

TEST(ADownload, ReadsNoFurtherAheadThanItMayKeep) {
    auto hangs = std::make_shared<Hangs>();
    const auto file =
        std::make_shared<HangingStore>(std::make_shared<MemoryStore>(noise(100 * kMiB, 13)), hangs);
    TransferClient client(download(file, {0, 100 * kMiB}));
    const std::size_t most = 16 + kTransferThreads;
    ASSERT_TRUE(comes_true([&] { return hangs->count(Call::read) >= 16; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_LE(hangs->count(Call::read), most);
    // And goes on by as much as is fetched.
    Bytes buffer(3 * kMiB);
    ASSERT_EQ(**client.transfer().receive(buffer, true), buffer.size());
    ASSERT_TRUE(comes_true([&] { return hangs->count(Call::read) >= 19; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_LE(hangs->count(Call::read), most + 3);
    EXPECT_LE(hangs->bytes(Call::read), (most + 3) * kTransferUnit);
}

TEST(ADownload, OfManyTinyPiecesKeepsAsFew) {
    // A block of data, a block of a hole: each read is a piece of its own.
    auto memory = std::make_shared<MemoryStore>();
    for (std::uint64_t i = 0; i < 2000; ++i)
        ASSERT_TRUE(memory->write_at(i * 8192, noise(4096, static_cast<unsigned>(i))));
    auto hangs = std::make_shared<Hangs>();
    TransferClient client(
        download(std::make_shared<HangingStore>(memory, hangs), {0, 1999 * 8192 + 4096}, true));
    ASSERT_TRUE(comes_true([&] { return hangs->count(Call::read) >= 8; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_LE(hangs->count(Call::read), 16U + kTransferThreads);
    std::vector<Transfer::Section> sections;
    const auto received = client.receive_sparsely(kMiB, sections);
    EXPECT_EQ(sections.size(), 3999U);
    EXPECT_TRUE(same(received.bytes, memory->bytes(0, 1999 * 8192 + 4096)));
}

TEST(ADownload, IsNotReadableBeforeItsFirstByte) {
    auto hangs = std::make_shared<Hangs>();
    hangs->hang(Call::read);
    TransferClient client(download(
        std::make_shared<HangingStore>(std::make_shared<MemoryStore>(noise(kMiB, 14)), hangs),
        {0, kMiB}));
    ASSERT_TRUE(hangs->wait_until_hanging(1));
    EXPECT_FALSE(client.is_ready(POLLIN));
    Bytes buffer(100);
    const auto nothing = client.transfer().receive(buffer, false);
    ASSERT_TRUE(nothing);
    EXPECT_FALSE(*nothing);
    const auto begun = Clock::now();
    EXPECT_EQ(client.transfer().next_section().error().kind(), ErrorKind::not_connected);
    EXPECT_LT(Clock::now() - begun, std::chrono::milliseconds(1500));
    hangs->release();
    EXPECT_TRUE(same(client.receive_all(5000).bytes, noise(kMiB, 14)));
}

// Whatever becomes of the stream, its threads hold the file until gluster lets them go, and then
// nobody does.
class AHangingDownload : public testing::TestWithParam<Call> {};

TEST_P(AHangingDownload, EndsInTimeAndIsReleasedLater) {
    for (const bool finishes : {true, false}) {
        auto hangs = std::make_shared<Hangs>();
        hangs->hang(GetParam());
        auto file = std::make_shared<HangingStore>(
            std::make_shared<MemoryStore>(noise(30 * kMiB, 15)), hangs);
        const std::weak_ptr<ByteSource> seen = file;
        {
            TransferClient client(download(std::move(file), {0, 30 * kMiB}));
            ASSERT_TRUE(hangs->wait_until_hanging(GetParam() == Call::read ? kTransferThreads : 1));
            const auto begun = Clock::now();
            if (finishes)
                (void)client.finish();
            else
                client.abort();
            EXPECT_LT(Clock::now() - begun,
                      (finishes ? kFinishLimit : kAbortLimit) + std::chrono::milliseconds(300));
        }
        EXPECT_FALSE(seen.expired()) << "a thread uses it";
        hangs->release();
        EXPECT_TRUE(comes_true([&] { return seen.expired(); }));
    }
}

INSTANTIATE_TEST_SUITE_P(In, AHangingDownload, testing::Values(Call::read, Call::find_data),
                         [](const auto& test) {
                             return test.param == Call::read ? "Reading" : "LookingForData";
                         });

TEST(ADownload, ThatIsNotFetchedIsReleasedWhenItEnds) {
    for (const bool aborts : {true, false}) {
        auto file = std::make_shared<MemoryStore>(noise(60 * kMiB, 16));
        const std::weak_ptr<ByteSource> seen = file;
        auto transfer = download(std::move(file), {0, 60 * kMiB});
        Bytes buffer(100);
        ASSERT_TRUE(transfer->receive(buffer, true));
        if (aborts)
            transfer->abort();
        else
            EXPECT_TRUE(transfer->finish()) << "the client has had all that it wants";
        // Or who deletes the volume next would find it in use.
        EXPECT_TRUE(seen.expired());
    }
}

TEST(ADownload, HoldsItsFileUntilItEnds) {
    auto file = std::make_shared<MemoryStore>(noise(1000, 19));
    const std::weak_ptr<ByteSource> seen = file;
    TransferClient client(download(std::move(file), {0, 1000}));
    EXPECT_FALSE(client.receive_all(1000).error);
    EXPECT_FALSE(seen.expired()) << "a stream is in use until it is finished";
    EXPECT_TRUE(client.finish());
    EXPECT_TRUE(seen.expired());
}

TEST(ADownload, WakesWhoWaitsWhenItIsAborted) {
    auto hangs = std::make_shared<Hangs>();
    hangs->hang(Call::read);
    const auto transfer = download(
        std::make_shared<HangingStore>(std::make_shared<MemoryStore>(noise(100, 17)), hangs),
        {0, 100});
    auto waiting = std::async(std::launch::async, [transfer] {
        Bytes buffer(100);
        return transfer->receive(buffer, true).has_value();
    });
    ASSERT_TRUE(hangs->wait_until_hanging(1));
    transfer->abort();
    EXPECT_EQ(waiting.wait_for(std::chrono::seconds(5)), std::future_status::ready);
    hangs->release();
}

TEST(ADownload, TakesNoBytes) {
    const auto transfer = download(std::make_shared<MemoryStore>(), {0, 0});
    EXPECT_FALSE(transfer->send(noise(1, 18), false));
    transfer->abort();
}

}  // namespace
}  // namespace sfg::test
