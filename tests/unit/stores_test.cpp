// SPDX-License-Identifier: LGPL-2.1-or-later
// The byte sources that need no daemon: the contract over each, and what is their own.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "driver/core/local_file.hpp"
#include "tests/support/fault_store.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/unit/byte_source_contract.hpp"

namespace sfg::test {

namespace {

// A directory that goes with the object.
class ScratchDirectory {
  public:
    ScratchDirectory() {
        std::string name = ::testing::TempDir() + "sfg-stores-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        path_ = name;
    }
    ~ScratchDirectory() { std::filesystem::remove_all(path_); }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

Result<std::unique_ptr<ByteSource>> make_local_file() {
    const ScratchDirectory directory;  // an open file outlives its name
    SFG_TRY_ASSIGN(auto file, LocalFile::open(directory / "file", LocalFile::Mode::read_write));
    return std::unique_ptr<ByteSource>(std::move(file));
}

template <typename Store>
Result<std::unique_ptr<ByteSource>> make_store() {
    return std::unique_ptr<ByteSource>(std::make_unique<Store>());
}

Result<std::unique_ptr<ByteSource>> make_plain_store() {
    auto store = std::make_unique<MemoryStore>();
    store->set_knows_holes(false);
    store->set_discards(false);
    return std::unique_ptr<ByteSource>(std::move(store));
}

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
    return {bytes.begin(), bytes.end()};
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Stores, ByteSourceContract,
                         ::testing::Values(ByteSourceMaker{"Memory", make_store<MemoryStore>},
                                           ByteSourceMaker{"MemoryWithoutHoles", make_plain_store},
                                           ByteSourceMaker{"Faultless", make_store<FaultStore>},
                                           ByteSourceMaker{"LocalFile", make_local_file}),
                         [](const auto& tested) { return tested.param.name; });

TEST(LocalFileTest, AMissingFileIsNotFound) {
    const ScratchDirectory directory;
    auto file = LocalFile::open(directory / "none", LocalFile::Mode::read_only);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().kind(), ErrorKind::not_found);
    EXPECT_NE(file.error().message().find(directory / "none"), std::string::npos);
}

TEST(LocalFileTest, ADirectoryIsRefused) {
    const ScratchDirectory directory;
    auto file = LocalFile::open(directory / "", LocalFile::Mode::read_only);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().kind(), ErrorKind::invalid);
}

TEST(LocalFileTest, AFifoIsRefusedWithoutWaiting) {
    const ScratchDirectory directory;
    ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
    auto file = LocalFile::open(directory / "fifo", LocalFile::Mode::read_only);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().kind(), ErrorKind::invalid);
}

TEST(LocalFileTest, AFileOpenedForReadingCannotBeWritten) {
    const ScratchDirectory directory;
    std::ofstream(directory / "file") << "content";
    auto file = LocalFile::open(directory / "file", LocalFile::Mode::read_only);
    ASSERT_TRUE(file) << file.error().message();
    EXPECT_FALSE((*file)->write_at(0, bytes_of("x")));
    EXPECT_FALSE((*file)->resize(1));
    EXPECT_EQ(*(*file)->size(), 7u);
}

TEST(LocalFileTest, OpeningForWritingKeepsWhatIsThere) {
    const ScratchDirectory directory;
    std::ofstream(directory / "file") << "content";
    auto file = LocalFile::open(directory / "file", LocalFile::Mode::read_write);
    ASSERT_TRUE(file) << file.error().message();
    EXPECT_EQ(*(*file)->size(), 7u);
    EXPECT_TRUE((*file)->close());
}

TEST(MemoryStoreTest, ACopyIsNotChangedByItsOriginal) {
    MemoryStore original(bytes_of("before"));
    MemoryStore copy = original;
    ASSERT_TRUE(original.write_at(0, bytes_of("after!")));
    EXPECT_EQ(copy.bytes(0, 6), bytes_of("before"));
    ASSERT_TRUE(copy.resize(3));
    EXPECT_EQ(original.bytes(0, 6), bytes_of("after!"));
}

TEST(MemoryStoreTest, HolesAreBlocksThatWereNotWritten) {
    MemoryStore store;
    ASSERT_TRUE(store.write_at(4096 * 3 + 5, bytes_of("x")));
    ASSERT_TRUE(store.write_at(4096 * 4, bytes_of("y")));
    ASSERT_TRUE(store.resize(4096 * 10));
    EXPECT_EQ(*store.find_data(0), (Extent{4096 * 3, 4096 * 2}));
    EXPECT_EQ(*store.find_data(4096 * 3 + 7), (Extent{4096 * 3 + 7, 4096 * 2 - 7}));
    EXPECT_EQ(*store.find_data(4096 * 5), std::nullopt);
    ASSERT_TRUE(store.resize(4096 * 4 + 1));
    EXPECT_EQ(*store.find_data(0), (Extent{4096 * 3, 4097}));
}

TEST(MemoryStoreTest, WholeBlocksThatAreDiscardedBecomeHoles) {
    MemoryStore store;
    ASSERT_TRUE(store.write_at(0, std::vector<std::byte>(4096 * 4, std::byte{1})));
    const MemoryStore before = store;
    ASSERT_TRUE(store.discard(100, 4096 * 2));
    EXPECT_EQ(store.written_bytes(), 4096u * 3);
    EXPECT_EQ(store.bytes(99, 2), (std::vector{std::byte{1}, std::byte{0}}));
    EXPECT_EQ(store.bytes(4096 * 2 + 99, 2), (std::vector{std::byte{0}, std::byte{1}}));
    EXPECT_EQ(before.written_bytes(), 4096u * 4);
    EXPECT_EQ(MemoryStore(before).bytes(4096, 1).front(), std::byte{1}) << "a copy is its own";
}

TEST(FaultStoreTest, LookingForDataAndDiscardingFailAsToldTo) {
    FaultStore store{MemoryStore(bytes_of("abc"))};
    store.faults().fail_kind = FaultStore::Call::find_data;
    EXPECT_FALSE(store.find_data(0));
    store.faults().fail_kind = FaultStore::Call::discard;
    EXPECT_FALSE(store.discard(0, 3));
    EXPECT_EQ(*store.find_data(0), (Extent{0, 3}));
    store.faults().fail_kind.reset();
    ASSERT_TRUE(store.discard(0, 3));
    EXPECT_EQ(store.unflushed(), 1u);
    store.crash();
    EXPECT_EQ(store.content().bytes(0, 3), bytes_of("abc"));
}

TEST(FaultStoreTest, OnlyTheNamedCallFails) {
    FaultStore store;
    store.faults().fail_call = 1;
    EXPECT_TRUE(store.write_at(0, bytes_of("one")));
    EXPECT_FALSE(store.write_at(0, bytes_of("two")));
    EXPECT_EQ(store.content().bytes(0, 3), bytes_of("one"));
    EXPECT_TRUE(store.write_at(0, bytes_of("six")));
    EXPECT_EQ(store.count(FaultStore::Call::write), 3u);
}

TEST(FaultStoreTest, ADeadStoreStaysDead) {
    FaultStore store;
    store.faults().fail_call = 0;
    store.faults().stay_dead = true;
    EXPECT_FALSE(store.flush());
    EXPECT_FALSE(store.write_at(0, bytes_of("x")));
    EXPECT_FALSE(store.size());
}

TEST(FaultStoreTest, ATornWriteLeavesItsFirstHalf) {
    FaultStore store;
    store.faults().fail_call = 0;
    store.faults().torn_writes = true;
    EXPECT_FALSE(store.write_at(0, bytes_of("abcdef")));
    EXPECT_EQ(*store.content().size(), 3u);
}

TEST(FaultStoreTest, ReadsAreShortWhenAskedFor) {
    FaultStore store{MemoryStore(bytes_of("abcdef"))};
    store.faults().max_read = 2;
    std::vector<std::byte> buffer(6);
    EXPECT_EQ(*store.read_at(1, buffer), 2u);
}

TEST(FaultStoreTest, ACrashDropsWhatWasNotFlushed) {
    FaultStore store;
    ASSERT_TRUE(store.write_at(0, bytes_of("kept")));
    ASSERT_TRUE(store.flush());
    ASSERT_TRUE(store.write_at(0, bytes_of("lost")));
    ASSERT_TRUE(store.resize(100));
    EXPECT_EQ(store.unflushed(), 2u);
    store.crash();
    EXPECT_EQ(*store.content().size(), 4u);
    EXPECT_EQ(store.content().bytes(0, 4), bytes_of("kept"));
}

TEST(FaultStoreTest, ACrashMayKeepALaterChangeWithoutAnEarlierOne) {
    FaultStore store;
    ASSERT_TRUE(store.write_at(0, bytes_of("first")));
    ASSERT_TRUE(store.write_at(10, bytes_of("second")));
    store.crash([](std::size_t change) { return change == 1; });
    EXPECT_EQ(store.content().bytes(0, 5), std::vector<std::byte>(5));
    EXPECT_EQ(store.content().bytes(10, 6), bytes_of("second"));
}

}  // namespace sfg::test
