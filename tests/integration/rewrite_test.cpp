// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The documents that `sf-gluster rewrite` makes, with the host's real mount table, are guests that
// start.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/guest_fixture.hpp"

namespace sfg::test {
namespace {

using Chain = std::vector<std::string>;

class RewriteTest : public GuestTest {
  protected:
    // Standard output alone; what the program says besides is in `said`.
    std::string rewritten(const std::string& document, const std::string& to, std::string& said) {
        const std::string in = scratch("in.xml"), out = scratch("out.xml");
        std::ofstream(in) << document;
        const std::string nothing = scratch("sf-gluster.conf");
        std::ofstream(nothing).close();
        const Ran ran = shell(std::string(SFG_COMMAND) + " rewrite --to " + to + " --config " +
                              quoted(nothing) + " < " + quoted(in) + " > " + quoted(out));
        EXPECT_TRUE(ran.ok()) << ran.output;
        said = ran.output;
        std::ifstream file(out);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    static std::string scratch(const std::string& name) {
        return testing::TempDir() + "sf-gluster-rewrite-" + std::to_string(getpid()) + "-" + name;
    }
};

}  // namespace

TEST_F(RewriteTest, ARunningGuestsDocumentStartsAsFilesAndAsNetworkDisksAgain) {
    ASSERT_TRUE(done(pool().create(qcow2("image_cache/base.v001", 64 * kMiB))));
    ASSERT_TRUE(done(pool().create(overlay("instances/u/vda", "image_cache/base.v001"))));
    const Chain over_gfapi{shown("instances/u/vda"), shown("image_cache/base.v001")};
    const Chain over_fuse{fuse("instances/u/vda"), fuse("image_cache/base.v001")};
    std::string said;

    std::string as_files, as_network;
    {
        auto guest = run({on_gluster("instances/u/vda")});
        ASSERT_TRUE(done(guest));
        ASSERT_EQ(guest->chain("vda"), over_gfapi);
        as_files = rewritten(guest->xml(), "file", said);
        EXPECT_NE(said.find("vda: " + over_gfapi[0] + " -> " + over_fuse[0]), std::string::npos)
            << said;
    }
    {
        auto guest = Guest::start_document(client(), as_files);
        ASSERT_TRUE(done(guest));
        EXPECT_EQ(guest->chain("vda"), over_fuse);
        as_network = rewritten(guest->xml(), "network", said);
    }
    auto guest = Guest::start_document(client(), as_network);
    ASSERT_TRUE(done(guest));
    EXPECT_EQ(guest->chain("vda"), over_gfapi);
}

}  // namespace sfg::test
