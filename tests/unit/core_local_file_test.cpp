// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/local_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace sfg {
namespace {

namespace fs = std::filesystem;

class LocalFiles : public testing::Test {
  protected:
    LocalFiles() {
        char name[] = "/tmp/sf-gluster-local-XXXXXX";
        directory_ = mkdtemp(name);
        fs::create_directories(directory_ / "sub");
        std::ofstream(directory_ / "sub/file") << "content";
        fs::create_symlink("/etc", directory_ / "evil");
        fs::create_symlink("sub/file", directory_ / "link");
    }
    ~LocalFiles() override { fs::remove_all(directory_); }

    fs::path directory_;
};

TEST_F(LocalFiles, OpenBeneathADirectory) {
    auto file = LocalFile::open_beneath(directory_, "sub/file");
    ASSERT_TRUE(file) << file.error().message();
    EXPECT_EQ(*(*file)->size(), 7u);
}

TEST_F(LocalFiles, BeneathADirectoryFollowNoLink) {
    for (const char* path : {"evil/passwd", "link", "sub/../../../etc/passwd", "/etc/passwd"}) {
        auto file = LocalFile::open_beneath(directory_, path);
        ASSERT_FALSE(file) << path;
        EXPECT_EQ(file.error().kind(), ErrorKind::denied) << file.error().message();
    }
}

TEST_F(LocalFiles, SayWhatIsMissingOrNoFile) {
    EXPECT_EQ(LocalFile::open_beneath(directory_, "none").error().kind(), ErrorKind::not_found);
    EXPECT_EQ(LocalFile::open_beneath(directory_, "sub").error().kind(), ErrorKind::invalid);
    const auto fifo = directory_ / "fifo";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_EQ(LocalFile::open_beneath(directory_, "fifo").error().kind(), ErrorKind::invalid);
    EXPECT_EQ(LocalFile::open(fifo, LocalFile::Mode::read_only).error().kind(), ErrorKind::invalid);
}

}  // namespace
}  // namespace sfg
