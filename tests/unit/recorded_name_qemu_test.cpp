// SPDX-License-Identifier: LGPL-2.1-or-later
// qemu as the judge of read_recorded_name: the file that it says is the one that qemu opens.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "driver/images/recorded_name.hpp"
#include "tests/support/command.hpp"

namespace sfg {
namespace {

using Kind = NamedFile::Kind;

// Images are in "images", and qemu is run in "cwd".
class RecordedNameQemuTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(test::shell("qemu-io --version").status, 0)
            << "qemu-io is needed for this test and missing: install qemu-utils";
        directory_ = ::testing::TempDir() + "sfg-names-XXXXXX";
        ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
        for (const char* name : {"images", "cwd"})
            std::filesystem::create_directory(directory_ + "/" + name);
    }

    void TearDown() override { std::filesystem::remove_all(directory_); }

    test::Ran in_cwd(const std::string& command) {
        return test::shell("cd " + test::quoted(directory_ + "/cwd") + " && " + command);
    }

    // An image that records `name`, over which nothing is written.
    void make_overlay(const std::string& name) {
        const auto made = in_cwd("qemu-img create -q -u -f qcow2 -b " + test::quoted(name) +
                                 " -F raw ../images/image 1M");
        ASSERT_TRUE(made.ok()) << made.output;
    }

    test::Ran read_image() {
        return in_cwd("qemu-io -r -f qcow2 -c 'read -P 0x5a 0 512' ../images/image");
    }

    std::string path_of(const NamedFile& file) {
        if (file.kind == Kind::relative) return directory_ + "/images/" + file.path;
        if (file.kind == Kind::working_directory) return directory_ + "/cwd/" + file.path;
        return file.path;
    }

    // "@" is the directory.
    std::string placed(std::string name) {
        for (auto at = name.find('@'); at != std::string::npos; at = name.find('@'))
            name.replace(at, 1, directory_);
        return name;
    }

    std::string directory_;
};

bool reads_well(const test::Ran& ran) {
    return ran.ok() && ran.output.find("512/512") != std::string::npos &&
           ran.output.find("failed") == std::string::npos;
}

TEST_F(RecordedNameQemuTest, LocalFilesAreThoseThatQemuOpens) {
    std::filesystem::create_directory(directory_ + "/images/sub");
    for (const std::string row : {
             "base",
             "./base",
             "../images/base",
             "sub/../base",
             "./a:b",
             "sub/a:b",
             "a%20b",
             "base#1",
             "base?x=1",
             "@/base",
             "/@//./base",
             "@/cwd/../base",
             "/../../../../../../../../../../@/base",
             "@/a:b",
             "file:base",
             "file:../base",
             "file:./base",
             "file:a:b",
             "file:a%20b",
             "file:@/base",
             "file://@/base",
             "json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\"base\"}}",
             "json:{'file':{'driver':'file','filename':'@/base'}}",
             "json:{'file':{'filename':'base'}}",
             "json:{\"file.driver\":\"file\",\"file.filename\":\"@\\/base\"}",
             " json:{'file':{'filename':'base'}}",
             "json:{'file':{'driver':'file','filename':'\\u00e4\\ud83d\\ude00 \\'\"%s'}}",
             "json:{'file':{'filename':'a:b'}}",
             "json:{'file':{'driver':'file','filename':'sub:/../base'}}",
             "json: { 'file' : { 'driver':\t'file', 'filename':'base', 'locking':'off' } } ",
             "json:{'file':{'driver':'raw','file':{'driver':'file','filename':'base'}}}",
             "json:{'file':{'driver':'blkdebug','image':{'driver':'file','filename':'base'}}}",
             "json:{'file':{'driver':'blkdebug','x-image':'file:base'}}",
             "json:{'file':{'driver':'quorum','vote-threshold':1,'children.0.driver':'file',"
             "'children.0.filename':'base'}}",
             "json:{'file':{'driver':'quorum','vote-threshold':1,'children':[{'driver':"
             "'raw','file':{'filename':'b'}}]}}",
             "json:{'file':{'driver':'preallocate','file':{'filename':'base'}}}",
             "blkdebug::base",
             "blkdebug::@/base",
             "blkdebug::file:base",
             "blkdebug::json:{'driver':'file','filename':'base'}",
         }) {
        const std::string name = placed(row);
        std::filesystem::create_directories(directory_ + "/cwd/sub:");
        make_overlay(name);
        const auto read = read_recorded_name(name);
        const NamedFile& file = read.files.front();
        if (row.starts_with(' ')) {
            EXPECT_EQ(file.kind, Kind::unknown) << row;
            EXPECT_FALSE(reads_well(read_image())) << row;
            continue;
        }
        ASSERT_TRUE(file.kind == Kind::local || file.kind == Kind::relative ||
                    file.kind == Kind::working_directory)
            << row;
        EXPECT_FALSE(reads_well(read_image())) << row;
        std::ofstream(path_of(file)) << std::string(512, '\x5a') << std::string(511 * 512, '\0');
        const auto ran = read_image();
        EXPECT_TRUE(reads_well(ran)) << row << ": " << path_of(file) << "\n" << ran.output;
        std::filesystem::remove(path_of(file));
    }
}

// What qemu says of a server that is not there is what it made of the name.
std::string words_of(const NamedFile& file) {
    const Server server = file.servers.empty() ? Server{"localhost"} : file.servers.front();
    return "Gluster connection for volume " + file.volume + ", path " + file.path +
           " failed to connect\nhint: failed on " +
           (server.is_local() ? "socket " + server.socket
                              : "host " + server.host + " and port " +
                                    std::to_string(server.port != 0 ? server.port : kGlusterdPort));
}

TEST_F(RecordedNameQemuTest, FilesOfGlusterAreThoseThatQemuOpens) {
    // Some qemus have no gluster driver: those of Debian after 13, for one.
    if (in_cwd("qemu-img info gluster://127.0.0.1:1/v/a").output.find("Unknown protocol") !=
        std::string::npos)
        return;
    struct Row {
        std::string name;
        bool taken = true;
    };
    for (const Row& row : {
             Row{"gluster://127.0.0.1:1/v/a"},
             Row{"gluster+tcp://127.0.0.1:1/v/a/b"},
             Row{"gluster+rdma://127.0.0.1:1/v/a"},
             Row{"gluster+unix:///v/a?socket=/no/such%20socket"},
             Row{"gluster:///v/a"},
             Row{"gluster:v/a"},
             Row{"gluster:/v/a"},
             Row{"gluster://127.0.0.1:1//v///a"},
             Row{"gluster://127.0.0.1:1/v/a%20b%2Fc"},
             Row{"gluster://127.0.0.1:1/%76%2fa"},
             Row{"gluster://127.0.0.1:1/v/a#b?c"},
             Row{"gluster://127.0.0.1:1/v/a?"},
             Row{"json:{'driver':'raw','file':{'driver':'gluster','volume':'v','path':'a%20',"
                 "'server':[{'type':'inet','host':'127.0.0.1','port':'1'}]}}"},
             Row{"json:{'file.driver':'gluster','file.volume':'v','file.path':'a',"
                 "'file.server.0.type':'tcp','file.server.0.host':'127.0.0.1',"
                 "'file.server.0.port':1}"},
             Row{"json:{'file':{'driver':'gluster','volume':'v','path':'a','server':[{"
                 "'type':'unix','socket':'/no'}]}}"},
             Row{"json:{'file':{'driver':'gluster','filename':'gluster://127.0.0.1:1/v/a%20'}}"},
             Row{"blkdebug::gluster://127.0.0.1:1/v/a"},
             Row{"gluster://127.0.0.1:1/v/a?x=y", false},
             Row{"gluster://127.0.0.1:70000/v/a", false},
             Row{"gluster+unix:///v/a", false},
             Row{"gluster://127.0.0.1:1/v/%zz", false},
             Row{"gluster://127.0.0.1:1/v/", false},
             Row{"gluster://127.0.0.1:1/v", false},
             Row{"GLUSTER://127.0.0.1:1/v/a", false},
             Row{"gluster+quic://127.0.0.1:1/v/a", false},
             Row{"json:{'file':{'driver':'gluster','volume':'v','path':'a'}}", false},
             Row{"json:{'file':{'driver':'gluster','volume':'v','path':'a','server':[]}}", false},
         }) {
        make_overlay(row.name);
        const auto read = read_recorded_name(row.name);
        const NamedFile& file = read.files.front();
        EXPECT_EQ(file.kind, Kind::gluster) << row.name;
        const auto ran = read_image();
        EXPECT_EQ(ran.output.find(words_of(file)) != std::string::npos, row.taken)
            << row.name << ": not '" << words_of(file) << "' but\n"
            << ran.output;
        if (!row.taken) {
            EXPECT_FALSE(read.plain) << row.name;
            EXPECT_EQ(ran.output.find("Gluster connection"), std::string::npos) << ran.output;
        }
    }
}

TEST_F(RecordedNameQemuTest, WhatIsNotUnderstoodQemuDoesNotOpen) {
    for (const std::string name : {
             "unheardof:base",
             "FILE:base",
             "JSON:{'file':{'filename':'base'}}",
             "blkdebug:base",
             "json:{'file':{'filename':'base'},'file':{'filename':'base'}}",
             "json:{'file':{'filename':'base'}}x",
             "json:{'file':{'filename':'base'},}",
             "json:{file:{'filename':'base'}}",
             "json:{'file':{'filename':'base\\ud800'}}",
             "json:{'file':'base'}",
             "json:{'file':{'driver':'unheardof','filename':'base'}}",
         }) {
        std::ofstream(directory_ + "/cwd/base") << std::string(1024, '\x5a');
        std::ofstream(directory_ + "/images/base") << std::string(1024, '\x5a');
        make_overlay(name);
        EXPECT_EQ(read_recorded_name(name).files.front().kind, Kind::unknown) << name;
        EXPECT_FALSE(reads_well(read_image())) << name;
    }
}

TEST_F(RecordedNameQemuTest, RelativeDataFilesAreInQemusWorkingDirectory) {
    for (const std::string name : {"data", "../data", "file:data"}) {
        const auto made = in_cwd("qemu-img create -q -f qcow2 -o data_file_raw=on,data_file=" +
                                 test::quoted(name) + " ../images/image 1M");
        ASSERT_TRUE(made.ok()) << made.output;
        const auto read = read_data_file_name(name);
        EXPECT_FALSE(read.plain);
        std::string found;
        for (const auto& file : read.files)
            if (file.kind == Kind::working_directory && std::filesystem::exists(path_of(file)))
                found = path_of(file);
        ASSERT_NE(found, "") << name;
        std::ofstream(found) << std::string(1 << 20, '\x5a');
        auto ran = in_cwd("qemu-io -c 'write -P 0x5a 0 512' ../images/image");
        EXPECT_TRUE(ran.ok()) << ran.output;
        EXPECT_TRUE(reads_well(read_image())) << name;
        std::filesystem::remove(found);
        EXPECT_FALSE(reads_well(read_image())) << name;
    }
}

}  // namespace
}  // namespace sfg
