// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/chains/base_matcher.hpp"

#include <gtest/gtest.h>

#include <map>

namespace sfg {
namespace {

using Match = BaseMatcher::Match;

Gfid gfid(unsigned char number) {
    Gfid made;
    made.bytes[0] = number;
    return made;
}

constexpr char kMounts[] =
    "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
    "90 22 0:50 / /srv/gv0 rw - fuse.glusterfs h:/gv0 rw,user_id=0\n"
    "91 22 0:51 / /srv/sub rw - fuse.glusterfs h:/gv0.tcp rw,user_id=0\n"
    "92 22 0:52 / /srv/gv1 rw - fuse.glusterfs h:/gv1 rw,user_id=0\n";

// The base is cache/base of gluster volume gv0. Its tree, links worked out:
const std::map<std::string, unsigned char> kTree = {
    {"cache/base", 1}, {"cache/hard", 1}, {"link", 1}, {"there/../cache/base", 1}, {"other", 2}};

class TheMatcher : public testing::Test {
  protected:
    Match match(const std::string& image, const std::string& recorded, bool data_file = false) {
        BaseMatcher matcher("gv0", "cache/base", gfid(1), kMounts,
                            [](const std::string& path) -> Result<Gfid> {
                                if (path == "split-brain") return Error(ErrorKind::io, "EIO");
                                const auto found = kTree.find(path);
                                if (found == kTree.end()) return Error(ErrorKind::not_found, "no");
                                return gfid(found->second);
                            });
        auto found = matcher.match(image, recorded, data_file);
        EXPECT_TRUE(found) << found.error().message();
        return *found;
    }
};

TEST_F(TheMatcher, FindsTheBaseBehindEveryNameThatLeadsToIt) {
    for (const char* name :
         {"../../cache/base", "../.././cache//base", "../../cache/hard", "../../link",
          "gluster://h/gv0/cache/base", "gluster:///gv0/cache/base",
          "gluster+tcp://elsewhere:24007/gv0//cache/base", "gluster://h/gv0/cache%2Fbase",
          "/srv/gv0/cache/base", "/srv/sub/cache/base", "file:/srv/gv0/cache/base",
          "/srv/gv0/instances/../cache/base", "../../../../cache/base",
          "json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"gluster\",\"volume\":\"gv0\","
          "\"path\":\"cache\\/base\",\"server\":[{\"type\":\"inet\",\"host\":\"h\",\"port\":"
          "\"24007\"}]}}",
          "json:{'file.driver':'gluster','file.volume':'gv0','file.path':'cache/b\\u0061se',"
          "'file.server.0.type':'inet','file.server.0.host':'h','file.server.0.port':'1'}"})
        EXPECT_EQ(match("instances/u/vda", name), Match::yes) << name;
}

TEST_F(TheMatcher, PassesOverWhatSurelyLeadsElsewhere) {
    for (const char* name :
         {"../../other", "base", "../../cache/base2", "gluster://h/gv1/cache/base",
          "/srv/gv1/cache/base", "/var/lib/libvirt/images/another", "nbd:unix:/s:exportname=base",
          "rbd:pool/base", "https://h/cache/base", "gluster://h/gv0/base",
          "json:{\"driver\":\"nbd\",\"host\":\"h\",\"export\":\"cache/base\"}"})
        EXPECT_EQ(match("instances/u/vda", name), Match::no) << name;
}

// The base is a link to a directory: to be deleted, and gone through by the names of bases.
TEST_F(TheMatcher, CountsWhatLiesBehindALink) {
    BaseMatcher matcher("gv0", "images", gfid(7), kMounts, [](const std::string&) -> Result<Gfid> {
        return Error(ErrorKind::not_found, "no");
    });
    for (const char* name : {"../images/base", "../images/../cache/base", "/srv/gv0/images/a/base",
                             "gluster://h/gv0/images/base"})
        EXPECT_EQ(*matcher.match("instances/vda", name, false), Match::yes) << name;
    EXPECT_EQ(*matcher.match("instances/vda", "../images2/base", false), Match::no);
}

TEST_F(TheMatcher, TakesOfAnImageInAnotherGlusterVolumeOnlyWhatIsCertain) {
    BaseMatcher matcher("gv0", "cache/base", gfid(1), kMounts,
                        [](const std::string&) -> Result<Gfid> { return gfid(2); });
    for (const char* name : {"gluster://h/gv0/cache/base", "/srv/gv0/cache/base"})
        EXPECT_EQ(*matcher.match_elsewhere(name, false), Match::yes) << name;
    for (const char* name :
         {"cache/base", "/mnt/elsewhere/cache/base", "json:{", "/srv/gv1/cache/base",
          "gluster://h/gv1/cache/base", "gluster://h/gv0/base"})
        EXPECT_EQ(*matcher.match_elsewhere(name, false), Match::no) << name;
}

// Another host may have the directory mounted there, or a link may lead there.
TEST_F(TheMatcher, CannotTellWhereAPathOfAHostLeadsThatEndsLikeTheBase) {
    for (const char* name : {"/var/lib/libvirt/images/base", "/mnt/elsewhere/cache/base",
                             "file:base", "../../../mount/base"})
        EXPECT_EQ(match("instances/vda", name), Match::unclear) << name;
}

TEST_F(TheMatcher, CannotTellWhatItDoesNotUnderstand) {
    for (const char* name : {"json:{", "json:{\"driver\":\"a-new-one\",\"file\":\"x\"}", "fat:/x",
                             "new-protocol:x", ""})
        EXPECT_EQ(match("vda", name), Match::unclear) << name;
    EXPECT_EQ(match("vda", "split-brain"), Match::unclear) << "gluster does not tell";
}

// qemu puts a name behind the image's directory as it is, and the kernel follows links on the way.
TEST_F(TheMatcher, GoesUpFromWhereALinkLeads) {
    EXPECT_EQ(match("vda", "there/../cache/base"), Match::yes);
    EXPECT_EQ(match("vda", "/srv/gv0/x/../cache2/base"), Match::unclear);
}

// qemu looks for a qcow2's data file from its working directory, libvirt from the image's.
TEST_F(TheMatcher, LooksForADataFileInBothPlaces) {
    EXPECT_EQ(match("cache/image", "base", true), Match::yes);
    EXPECT_EQ(match("image", "base", true), Match::unclear);
    EXPECT_EQ(match("image", "data", true), Match::no);
    EXPECT_EQ(match("image", "", true), Match::unclear) << "one that cannot be had";
}

TEST(TheMatchersNamesOfTheBase, AreAllThatLeadToIt) {
    BaseMatcher matcher(
        "gv0", "cache/v3", gfid(1), kMounts,
        [](const std::string&) -> Result<Gfid> { return Error(ErrorKind::not_found, "no"); });
    EXPECT_EQ(*matcher.match("vda", "/mnt/elsewhere/current", false), Match::no);
    matcher.learn_name_of_base("cache/current");
    EXPECT_EQ(*matcher.match("vda", "/mnt/elsewhere/current", false), Match::unclear);
    EXPECT_EQ(*matcher.match("vda", "/mnt/elsewhere/v3", false), Match::unclear);
}

// Ten thousand overlays would ask ten thousand times.
TEST(TheMatcherOfManyOverlays, AsksOnceForTheirBaseAndNotForEach) {
    int asked = 0;
    BaseMatcher matcher("gv0", "cache/base", gfid(1), kMounts,
                        [&](const std::string&) -> Result<Gfid> {
                            ++asked;
                            return gfid(2);
                        });
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(
            *matcher.match("instances/" + std::to_string(i) + "/vda", "../../cache/other", false),
            Match::no);
    EXPECT_EQ(asked, 1);
}

TEST_F(TheMatcher, DoesNotAskForWhatAWalkHasSeen) {
    BaseMatcher matcher("gv0", "cache/base", gfid(1), "", [](const std::string&) -> Result<Gfid> {
        return Error(ErrorKind::not_connected, "asked");
    });
    matcher.learn("a", gfid(1));
    matcher.learn("b", gfid(2));
    EXPECT_EQ(*matcher.match("vda", "a", false), Match::yes);
    EXPECT_EQ(*matcher.match("vda", "b", false), Match::no);
    EXPECT_FALSE(matcher.match("vda", "c", false)) << "gluster does not answer";
}

}  // namespace
}  // namespace sfg
