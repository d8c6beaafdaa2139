// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/names.hpp"

#include <gtest/gtest.h>

namespace sfg {
namespace {

std::string fault(const std::string& name) {
    const auto checked = check_volume_name(name);
    if (checked) return "";
    EXPECT_EQ(checked.error().kind(), ErrorKind::invalid) << name;
    return checked.error().message();
}

TEST(VolumeNames, AllowWhatPeopleUse) {
    for (const char* name : {"a", "vda", "image_cache/0123abcd.v001", "instances/u-u-i-d/vda",
                             "a b", "\xc3\xa4\xe2\x82\xac", "...", ".hidden", "a:b", "-x", "%41"})
        EXPECT_EQ(fault(name), "") << name;
    EXPECT_EQ(fault(std::string(255, 'x') + "/" + std::string(255, 'y')), "");
}

TEST(VolumeNames, AreRefusedWithTheReason) {
    EXPECT_NE(fault("").find("empty component"), std::string::npos);
    EXPECT_NE(fault("a//b").find("empty component"), std::string::npos);
    EXPECT_NE(fault("a/").find("empty component"), std::string::npos);
    EXPECT_NE(fault("/a").find("begins with '/'"), std::string::npos);
    EXPECT_NE(fault("../a").find("'..'"), std::string::npos);
    EXPECT_NE(fault("a/../b").find("'..'"), std::string::npos);
    EXPECT_NE(fault("a/./b").find("'.'"), std::string::npos);
    EXPECT_NE(fault("a\nb").find("control character"), std::string::npos);
    EXPECT_NE(fault("a\x7f").find("control character"), std::string::npos);
    EXPECT_NE(fault("a\xff").find("UTF-8"), std::string::npos);
    EXPECT_NE(fault("\xc0\xaf").find("UTF-8"), std::string::npos) << "an overlong '/'";
    EXPECT_NE(fault(std::string(256, 'x')).find("256 bytes"), std::string::npos);
    EXPECT_NE(fault(std::string(5000, 'x')).find("4095"), std::string::npos);
    std::string deep = "x";
    for (int i = 1; i < 64; ++i) deep += "/x";
    EXPECT_EQ(fault(deep), "");
    EXPECT_NE(fault(deep + "/x").find("64 components"), std::string::npos);
    EXPECT_NE(fault(".trashcan/x").find("reserved"), std::string::npos);
    EXPECT_NE(fault(".glusterfs").find("reserved"), std::string::npos);
    EXPECT_NE(fault("d/" + temporary_name("vda", 7)).find("temporary"), std::string::npos);
}

TEST(VolumeNames, OfAnErrorAreEscaped) {
    EXPECT_NE(fault("a\x1b[2J").find("a\\x1b[2J"), std::string::npos);
}

TEST(ShownEntries, LeaveOutWhatIsNoVolume) {
    EXPECT_TRUE(is_shown("vda"));
    EXPECT_TRUE(is_shown(".hidden"));
    EXPECT_FALSE(is_shown(".trashcan"));
    EXPECT_FALSE(is_shown(".glusterfs"));
    EXPECT_FALSE(is_shown("a\nb"));
    EXPECT_FALSE(is_shown("\xff"));
    EXPECT_FALSE(is_shown(temporary_name("x", 1)));
}

TEST(Temporaries, AreNamedSoThatDhtHashesTheFinalName) {
    // cluster.rsync-hash-regex of glusterfs is ^\.(.+)\.[^.]+$ and hashes the group.
    EXPECT_EQ(temporary_name("vda", 0xabc), ".vda.sfgluster-0000000000000abc");
    EXPECT_EQ(temporary_name("a.b.c", ~0ULL), ".a.b.c.sfgluster-ffffffffffffffff");
}

TEST(Temporaries, AreToldFromUsersFiles) {
    EXPECT_TRUE(is_temporary_name(temporary_name("vda", 42)));
    EXPECT_TRUE(is_temporary_name(temporary_name(std::string(255, 'x'), 42)));
    EXPECT_LE(temporary_name(std::string(255, 'x'), 42).size(), kLongestComponent);
    for (const char* name : {".vda.sfgluster-", ".vda.sfgluster-12",
                             "vda.sfgluster-0000000000000abc", ".vda.sfgluster-0000000000000ABC",
                             ".vda.sfgluster-0000000000000abg", ".vda.Xa81kz", ".sfgluster", ""})
        EXPECT_FALSE(is_temporary_name(name)) << name;
}

TEST(Paths, AreNormalizedWithoutLeavingTheRoot) {
    EXPECT_EQ(normalized("/"), "");
    EXPECT_EQ(normalized("//a///b/"), "a/b");
    EXPECT_EQ(normalized("a/./b/../c"), "a/c");
    EXPECT_EQ(normalized(".."), std::nullopt);
    EXPECT_EQ(normalized("a/../../b"), std::nullopt);
}

TEST(Paths, AreMadeRelativeToAnImagesDirectory) {
    EXPECT_EQ(relative_path("instances/u", "image_cache/x"), "../../image_cache/x");
    EXPECT_EQ(relative_path("", "image_cache/x"), "image_cache/x");
    EXPECT_EQ(relative_path("a", "a/x"), "x");
    EXPECT_EQ(relative_path("a/b", "a/x"), "../x");
    EXPECT_EQ(relative_path("a", "x"), "../x");
    EXPECT_EQ(relative_path("a/b", "a/bc"), "../bc");
    EXPECT_EQ(relative_path("a/b", "a/b"), "../b") << "a file named like the directory's path";
    // And lead back.
    for (const auto& [directory, path] :
         {std::pair<std::string, std::string>{"a/b/c", "d/e"}, {"", "d"}, {"a/b", "a/b/c/d"}})
        EXPECT_EQ(normalized(join_path(directory, relative_path(directory, path))), path);
}

TEST(Paths, KnowWhatLiesBelow) {
    EXPECT_TRUE(is_below("a/b", "a"));
    EXPECT_FALSE(is_below("ab", "a"));
    EXPECT_FALSE(is_below("a", "a"));
    EXPECT_TRUE(is_below("a", ""));
    EXPECT_EQ(parent_of("a/b/c"), "a/b");
    EXPECT_EQ(parent_of("c"), "");
    EXPECT_EQ(last_of("a/b/c"), "c");
    EXPECT_EQ(last_of("c"), "c");
}

}  // namespace
}  // namespace sfg
