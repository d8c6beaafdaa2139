// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Looking at images: along no link, no further than headers may lead.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "hooks/look/in_child.hpp"
#include "hooks/look/look_text.hpp"
#include "hooks/look/mounted_look.hpp"
#include "tests/support/command.hpp"

namespace sfg::hooks {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::milliseconds kLimit{5000};

class HookLook : public testing::Test {
  protected:
    void SetUp() override { fs::create_directories(directory_ + "/u"); }
    void TearDown() override { fs::remove_all(directory_); }

    ChainLook look(const std::string& path, const std::string& format = "qcow2",
                   bool and_bases = true) {
        return look_on_mount(directory_, {path, format, and_bases}, kLimit);
    }
    void file(const std::string& name, std::size_t size) {
        std::ofstream(directory_ + "/" + name) << std::string(size, 'x');
    }
    // A qcow2 image that names `base`, of 196 616 bytes: unpadded.
    void image(const std::string& name, const std::string& base = "",
               const std::string& base_format = "qcow2") {
        const std::string backing =
            base.empty() ? "" : " -u -F " + base_format + " -b " + test::quoted(base);
        const auto made = test::shell("qemu-img create -q -f qcow2" + backing + " " +
                                      test::quoted(directory_ + "/" + name) + " 10M");
        ASSERT_TRUE(made.ok()) << made.output;
    }
    void pad(const std::string& name) { fs::resize_file(directory_ + "/" + name, 262144); }

    const std::string directory_ = testing::TempDir() + "sfg-look-" + std::to_string(getpid());
};

std::vector<std::string> paths(const ChainLook& look) {
    std::vector<std::string> found;
    for (const auto& image : look.unpadded) found.push_back(image.path);
    return found;
}

}  // namespace

TEST_F(HookLook, AMountThatHangsOrCannotBeLookedAtIsTold) {
    const auto begin = std::chrono::steady_clock::now();
    const auto late = in_child(
        [] {
            sleep(1000);
            return std::string("late");
        },
        std::chrono::milliseconds(100));
    EXPECT_FALSE(late.text);
    EXPECT_TRUE(late.timed_out);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    const auto crashed = in_child([]() -> std::string { _exit(3); }, kLimit);
    EXPECT_FALSE(crashed.text);
    EXPECT_FALSE(crashed.timed_out);
    EXPECT_EQ(in_child([] { return std::string("x"); }, kLimit).text, "x");
    EXPECT_FALSE(in_child([] { return std::string("x"); }, std::chrono::milliseconds(0)).text);
    const auto none = look_on_mount(directory_, {"a", "raw"}, std::chrono::milliseconds(0));
    EXPECT_EQ(none.failure, ChainLook::Failure::not_tried);
}

TEST_F(HookLook, ADirectoryIsWhereItIs) {
    fs::create_directory_symlink(directory_ + "/u", directory_ + "/link");
    EXPECT_EQ(real_directory(directory_ + "/link", kLimit),
              fs::canonical(directory_).string() + "/u");
    EXPECT_EQ(real_directory(directory_ + "/absent", kLimit), "");
}

TEST_F(HookLook, WhatIsNoFileIsTold) {
    using Top = ChainLook::Top;
    file("a", 512);
    fs::create_symlink("a", directory_ + "/link");
    fs::create_symlink("u", directory_ + "/v");
    ASSERT_EQ(mkfifo((directory_ + "/fifo").c_str(), 0600), 0);
    EXPECT_EQ(look("a").top, Top::file);
    EXPECT_EQ(look("u/../a").top, Top::file);
    EXPECT_EQ(look("link").top, Top::link);
    EXPECT_EQ(look("v/../a").top, Top::link);
    EXPECT_EQ(look("fifo").top, Top::other);
    EXPECT_EQ(look("u").top, Top::other);
    EXPECT_EQ(look("b").top, Top::missing);
    EXPECT_EQ(look("a/b").top, Top::missing);
    EXPECT_EQ(look("../" + fs::path(directory_).filename().string() + "/a").top, Top::missing);
    EXPECT_EQ(look_on_mount("/nonexistent", {"a", "raw"}, kLimit).top, Top::missing);
}

TEST_F(HookLook, BasesAreLookedAtToo) {
    image("base");
    image("u/top", "../base");
    EXPECT_EQ(paths(look("u/top")), (std::vector<std::string>{"u/top", "base"}));
    pad("u/top");
    EXPECT_EQ(paths(look("u/../u/top")), std::vector<std::string>{"base"});
    EXPECT_EQ(look("u/top").unpadded.front().size, fs::file_size(directory_ + "/base"));
    // The document says what is below.
    EXPECT_TRUE(look("u/top", "qcow2", false).unpadded.empty());
    // To a guest's raw disk its bytes are no header.
    EXPECT_TRUE(look("u/top", "raw").unpadded.empty());
    pad("base");
    EXPECT_TRUE(look("u/top").unpadded.empty());
}

TEST_F(HookLook, AHeaderLeadsNowhereElse) {
    image("absolute", directory_ + "/u/b");
    image("protocol", "json:{\"driver\":\"file\"}");
    image("out", "../../../../../../etc/passwd");
    image("over-a-link", "link", "raw");
    file("odd", 100);
    fs::create_symlink("odd", directory_ + "/link");
    image("loop", "loop");
    image("raw-base", "odd", "raw");
    for (const char* name : {"absolute", "protocol", "out", "over-a-link", "loop"}) {
        const auto found = look(name);
        EXPECT_EQ(found.top, ChainLook::Top::file) << name;
        EXPECT_EQ(paths(found), std::vector<std::string>{name});
    }
    const auto raw = look("raw-base");
    EXPECT_EQ(paths(raw), (std::vector<std::string>{"raw-base", "odd"}));
    EXPECT_FALSE(raw.unpadded[0].opens);
    EXPECT_TRUE(raw.unpadded[1].opens);
    EXPECT_TRUE(look("raw-base", "raw").unpadded[0].opens) << "a guest wrote that header";
}

TEST(HookLookText, ComesBackAsItWent) {
    ChainLook look;
    look.top = ChainLook::Top::link;
    look.why = "because";
    look.failure = ChainLook::Failure::dead;
    look.unpadded = {{"a b\n", 1, true}, {"", 18446744073709551615u, false}};
    const auto back = look_from_text(look_to_text(look));
    EXPECT_EQ(back.top, look.top);
    EXPECT_EQ(back.why, look.why);
    EXPECT_EQ(back.failure, look.failure);
    EXPECT_TRUE(back.unpadded.at(0).opens);
    ASSERT_EQ(back.unpadded.size(), 2u);
    EXPECT_EQ(back.unpadded[0].path, "a b\n");
    EXPECT_EQ(back.unpadded[1].size, 18446744073709551615u);
    for (const std::string& text :
         {std::string(), std::string("file"), std::string("file\0", 5), std::string("?\0\0a\0", 5)})
        EXPECT_EQ(look_from_text(text).top, ChainLook::Top::unknown) << text;
}

}  // namespace sfg::hooks
