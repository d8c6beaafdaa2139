// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A file over gfapi keeps the contract of all byte sources, on each kind of gluster volume that
// does some calls in its own way.
#include <fcntl.h>
#include <glusterfs/api/glfs-handles.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "driver/gluster/connections.hpp"
#include "driver/gluster/directory.hpp"
#include "driver/gluster/file.hpp"
#include "tests/support/lab.hpp"
#include "tests/unit/byte_source_contract.hpp"

namespace sfg::test {
namespace {

std::string sharded_volume() {
    return Lab::instance().extra_volume("it-sharded",
                                        {"features.shard=on", "features.shard-block-size=4MB"});
}

// Three bricks, one of which may be lost.
std::string dispersed_volume() {
    const std::string name = "it-dispersed";
    Lab& lab = Lab::instance();
    if (lab.gluster({"volume", "info", name}).ok()) return name;
    const std::filesystem::path brick = lab.path("NODE1_BRICK1");
    std::vector<std::string> words{"volume", "create", name, "disperse", "3", "redundancy", "1"};
    for (int i = 1; i <= 3; ++i) {
        const auto path = brick.parent_path().parent_path() / (name + "-" + std::to_string(i));
        std::filesystem::create_directories(path);
        words.push_back(lab.gluster_host() + ":" + (path / "brick").string());
    }
    words.emplace_back("force");
    const Ran made = lab.gluster(words);
    EXPECT_TRUE(made.ok()) << made.output;
    const Ran started = lab.gluster({"volume", "start", name});
    EXPECT_TRUE(started.ok()) << started.output;
    return name;
}

Result<std::shared_ptr<Connection>> connection_to(const std::string& volume) {
    return Connections::instance().get({volume, {{Lab::instance().gluster_host(), 0}}},
                                       std::chrono::seconds(30));
}

// A new file that goes with the object. Not before: gluster's sharded volumes do not cut or grow a
// file that has no name any more.
class NewFile : public ByteSource {
  public:
    NewFile(Object root, std::string name, CreatedFile created)
        : root_(std::move(root)), name_(std::move(name)), created_(std::move(created)) {}
    ~NewFile() override {
        const auto fs = root_.connection()->fs();
        EXPECT_TRUE(fs && glfs_h_unlink(*fs, root_.handle(), name_.c_str()) == 0);
    }

    File& file() { return created_.file; }
    const Object& object() const { return created_.object; }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        return file().read_at(offset, buffer);
    }
    Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        return file().write_at(offset, data);
    }
    Result<std::uint64_t> size() override { return file().size(); }
    Result<void> resize(std::uint64_t bytes) override { return file().resize(bytes); }
    Result<void> allocate(std::uint64_t offset, std::uint64_t length) override {
        return file().allocate(offset, length);
    }
    Result<void> flush() override { return file().flush(); }
    Result<std::optional<Extent>> find_data(std::uint64_t from) override {
        return file().find_data(from);
    }
    Result<void> discard(std::uint64_t offset, std::uint64_t length) override {
        return file().discard(offset, length);
    }

  private:
    Object root_;
    std::string name_;
    CreatedFile created_;
};

Result<std::unique_ptr<NewFile>> new_file(const std::string& volume) {
    static std::atomic<int> counter{0};
    SFG_TRY_ASSIGN(const auto connection, connection_to(volume));
    SFG_TRY_ASSIGN(Object root, root_of(connection));
    const std::string name =
        "contract-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    SFG_TRY_ASSIGN(CreatedFile created, create_file(root, name, 0600));
    return std::make_unique<NewFile>(std::move(root), name, std::move(created));
}

template <std::string (*volume)()>
Result<std::unique_ptr<ByteSource>> make_file() {
    SFG_TRY_ASSIGN(auto file, new_file(volume()));
    return std::unique_ptr<ByteSource>(std::move(file));
}

std::string plain_volume() {
    return Lab::instance().volume();
}

INSTANTIATE_TEST_SUITE_P(OverGfapi, ByteSourceContract,
                         testing::Values(ByteSourceMaker{"Plain", make_file<plain_volume>},
                                         ByteSourceMaker{"Sharded", make_file<sharded_volume>},
                                         ByteSourceMaker{"Dispersed", make_file<dispersed_volume>}),
                         [](const auto& tested) { return tested.param.name; });

// More than File::discard asks a brick for at once.
TEST(FileOverGfapi, GivesBackManyGibibytes) {
    constexpr std::uint64_t kSize = std::uint64_t{40} << 30;
    auto file = new_file(plain_volume());
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->resize(kSize));
    const std::vector<std::byte> data(4096, std::byte{7});
    const std::uint64_t places[] = {0, kSize / 2, kSize - 4096};
    for (const std::uint64_t at : places) ASSERT_TRUE((*file)->write_at(at, data));
    ASSERT_TRUE((*file)->discard(0, kSize));
    EXPECT_EQ(*(*file)->size(), kSize);
    for (const std::uint64_t at : places) {
        std::vector<std::byte> found(4096);
        ASSERT_TRUE((*file)->read_at(at, found));
        EXPECT_EQ(found, std::vector<std::byte>(4096)) << at;
    }
}

// What README and the code rely on.
TEST(FileOverGfapi, TellsHolesOnAPlainVolume) {
    auto file = new_file(plain_volume());
    ASSERT_TRUE(file) << file.error().message();
    ASSERT_TRUE((*file)->resize(std::uint64_t{1} << 30));
    const std::vector<std::byte> data(4096, std::byte{1});
    ASSERT_TRUE((*file)->write_at(512 << 20, data));
    ASSERT_TRUE((*file)->flush());
    const auto found = (*file)->find_data(0);
    ASSERT_TRUE(found) << found.error().message();
    ASSERT_TRUE(*found);
    EXPECT_EQ((*found)->offset, 512U << 20);
}

// gfapi keeps one offset a descriptor, which reads and writes set as well: what is found must not
// depend on them.
TEST(FileOverGfapi, FindsDataWhileOthersReadAndWrite) {
    auto file = new_file(plain_volume());
    ASSERT_TRUE(file) << file.error().message();
    constexpr std::uint64_t kMiB = 1 << 20;
    const std::vector<std::byte> data(kMiB, std::byte{1});
    for (std::uint64_t at = 0; at < 8 * kMiB; at += 2 * kMiB)
        ASSERT_TRUE((*file)->write_at(at, data));
    ASSERT_TRUE((*file)->resize(8 * kMiB));
    ASSERT_TRUE((*file)->flush());
    std::atomic<bool> over = false;
    std::vector<std::thread> others;
    for (int i = 0; i < 3; ++i)
        others.emplace_back([&, i] {
            std::vector<std::byte> buffer(4096, std::byte{1});
            for (std::uint64_t at = 0; !over; at = (at + 4096) % kMiB) {
                EXPECT_TRUE(i == 0 ? (*file)->write_at(at, buffer).has_value()
                                   : (*file)->read_at(at, buffer).has_value());
            }
        });
    for (int round = 0; round < 200; ++round) {
        const std::uint64_t at = static_cast<std::uint64_t>(round % 4) * 2 * kMiB;
        const auto found = (*file)->find_data(at);
        ASSERT_TRUE(found) << found.error().message();
        EXPECT_EQ(*found, (Extent{at, kMiB}));
        EXPECT_EQ((*file)->find_data(at + kMiB)->value_or(Extent{}).offset,
                  round % 4 == 3 ? 0 : at + 2 * kMiB);
    }
    over = true;
    for (auto& other : others) other.join();
}

// Closing one descriptor of an open file takes the locks of all of them along.
TEST(FileOverGfapi, KeepsItsLockWhileItFindsData) {
    auto created = new_file(plain_volume());
    ASSERT_TRUE(created) << created.error().message();
    File& file = (*created)->file();
    ASSERT_TRUE(file.lock_exclusively());
    ASSERT_TRUE(file.write_at(0, std::vector<std::byte>(100, std::byte{1})));
    ASSERT_TRUE(file.find_data(0));
    auto other = File::open_for_reading((*created)->object());
    ASSERT_TRUE(other) << other.error().message();
    const auto locked = other->lock(File::Lock::shared, {0, 0});
    ASSERT_FALSE(locked);
    EXPECT_EQ(locked.error().kind(), ErrorKind::busy);
    EXPECT_TRUE(file.close());
    EXPECT_TRUE(other->lock(File::Lock::shared, {0, 0})) << "and not longer than it is open";
}

}  // namespace
}  // namespace sfg::test
