// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/settings.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace sfg {
namespace {

class SettingsFile : public testing::Test {
  protected:
    SettingsFile() {
        char name[] = "/tmp/sf-gluster-settings-XXXXXX";
        const int fd = mkstemp(name);
        if (fd >= 0) close(fd);
        path_ = name;
    }
    ~SettingsFile() override { unlink(path_.c_str()); }

    Result<Settings> reading(const std::string& text, mode_t mode = 0644) {
        std::ofstream(path_) << text;
        chmod(path_.c_str(), mode);
        return read_settings(path_);
    }

    std::string path_;
};

TEST_F(SettingsFile, MayBeMissingOrEmpty) {
    const auto missing = read_settings(path_ + ".missing");
    ASSERT_TRUE(missing);
    EXPECT_EQ(missing->connect_timeout, std::chrono::seconds(10));
    EXPECT_TRUE(reading(""));
    EXPECT_TRUE(reading("[other]\nkey=value\n"));
}

TEST_F(SettingsFile, IsRead) {
    const auto read = reading("# comment\n[driver]\nconnect-timeout=3\ntemporary-age=0\n");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->connect_timeout, std::chrono::seconds(3));
    EXPECT_EQ(read->temporary_age, std::chrono::seconds(0));
}

TEST_F(SettingsFile, SaysWhatBecomesOfCopiesOfRunningGuests) {
    for (const auto& [text, allowed] : {std::pair("", false),
                                        {"copies-of-running=refuse\n", false},
                                        {"copies-of-running=warn\n", true}}) {
        const auto read = reading(std::string("[driver]\n") + text);
        ASSERT_TRUE(read) << text;
        EXPECT_EQ(read->copies_of_running, allowed) << text;
    }
}

TEST_F(SettingsFile, NamesServers) {
    const auto read = reading("[driver]\ntrusted-servers=sf-1;sf-2:24017;/run/glusterd.socket\n");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->trusted_servers,
              (std::vector<std::string>{"sf-1", "sf-2:24017", "/run/glusterd.socket"}));
}

TEST_F(SettingsFile, NamesDirectoriesOfThisHost) {
    const auto none = reading("[driver]\nconnect-timeout=3\n");
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->local_base_directories.empty()) << "names of bases come from strangers";
    const auto empty = reading("[driver]\nlocal-base-directories=\n");
    ASSERT_TRUE(empty);
    EXPECT_TRUE(empty->local_base_directories.empty());
    for (const char* list : {"/srv/cache;/var/lib/my images", "/srv/cache;/var/lib/my images;"}) {
        const auto read = reading("[driver]\nlocal-base-directories=" + std::string(list) + "\n");
        ASSERT_TRUE(read) << read.error().message();
        EXPECT_EQ(read->local_base_directories,
                  (std::vector<std::string>{"/srv/cache", "/var/lib/my images"}));
    }
}

TEST_F(SettingsFile, IsRefusedWhenADirectoryIsNotAbsolute) {
    for (const char* list : {"cache", "/srv/cache;cache", "./x", "/srv;;/var", "~/x"}) {
        const auto read = reading("[driver]\nlocal-base-directories=" + std::string(list) + "\n");
        ASSERT_FALSE(read) << list;
        EXPECT_EQ(read.error().kind(), ErrorKind::invalid);
        EXPECT_NE(read.error().message().find("local-base-directories"), std::string::npos);
        EXPECT_NE(read.error().message().find(path_), std::string::npos);
    }
}

TEST_F(SettingsFile, IsRefusedWhenOthersCanWriteIt) {
    for (const mode_t mode : {0664U, 0646U, 0666U}) {
        const auto read = reading("[driver]\nconnect-timeout=3\n", mode);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().kind(), ErrorKind::denied);
    }
}

TEST_F(SettingsFile, IsRefusedWhenItIsALinkOrNotAFile) {
    const std::string link = path_ + ".link";
    ASSERT_EQ(symlink(path_.c_str(), link.c_str()), 0);
    EXPECT_FALSE(read_settings(link));
    unlink(link.c_str());
    EXPECT_FALSE(read_settings("/tmp"));
}

TEST_F(SettingsFile, IsRefusedWhenItSaysNonsense) {
    for (const char* text :
         {"[driver]\nconnect-timeout=soon\n", "[driver]\nconnect-timeout=0\n",
          "[driver]\nconnect-timeout=601\n", "[driver]\ntemporary-age=-1\n", "no group\n",
          "[driver\n", "[driver]\nconnect-timeout=99999999999999999999\n",
          "[driver]\nconect-timeout=5\n", "[driver]\ncopies-of-running=yes\n"}) {
        const auto read = reading(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().kind(), ErrorKind::invalid) << text;
        EXPECT_NE(read.error().message().find(path_), std::string::npos);
    }
}

}  // namespace
}  // namespace sfg
