// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One test for each folder of tests/golden/rewrite: "to", "in.xml" and what describes the host go
// in, "out.xml" or the sentence in "error" comes out. Of the host there may be "sf-gluster.conf",
// "mountinfo", "fstab", documents in "pools/" and the "cmdline" of a gluster client.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "hooks/rewrite/mount_client.hpp"
#include "hooks/rewrite/rewrite.hpp"

namespace sfg::hooks {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<fs::path> sorted(const fs::path& directory) {
    std::vector<fs::path> found;
    if (!fs::exists(directory)) return found;
    for (const auto& entry : fs::directory_iterator(directory)) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

Result<std::string> rewritten(const fs::path& folder) {
    std::string to = text_of(folder / "to");
    to.pop_back();
    HostDescription host{text_of(folder / "sf-gluster.conf"), text_of(folder / "mountinfo"),
                         text_of(folder / "fstab")};
    for (const auto& file : sorted(folder / "pools"))
        host.pools.push_back(parse_pool_document(text_of(file)).value());
    host.servers_of_mount = [&](const FuseMount& mount) {
        return servers_of_client(mount, text_of(folder / "cmdline"));
    };
    SFG_TRY_ASSIGN(const auto volumes, KnownVolumes::make(host));
    SFG_TRY_ASSIGN(const auto access, parse_access(to));
    SFG_TRY_ASSIGN(auto domain, DomainXml::parse(text_of(folder / "in.xml")));
    SFG_TRY_ASSIGN(const auto outcome, rewrite_images(domain, volumes, [&](const FoundImage&) {
                       return access.value();
                   }));
    EXPECT_EQ(outcome.rewritten.empty(), domain.text() == text_of(folder / "in.xml"));
    return domain.text();
}

class RewriteGolden : public testing::TestWithParam<fs::path> {};

TEST_P(RewriteGolden, ComesOutAsWritten) {
    const auto& folder = GetParam();
    const auto result = rewritten(folder);
    if (fs::exists(folder / "error")) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().message() + "\n", text_of(folder / "error"));
        return;
    }
    ASSERT_TRUE(result) << result.error().message();
    EXPECT_EQ(*result, text_of(folder / "out.xml"));
}

// The groups that README shows are right as they stand there.
TEST(ReadmeConfiguration, IsRead) {
    const std::string readme = text_of(SFG_SOURCE_DIR "/README.md");
    const auto begin = readme.find("```\n[volume ") + 4;
    ASSERT_GT(begin, 4u);
    const auto volumes =
        KnownVolumes::make({readme.substr(begin, readme.find("```", begin) - begin)});
    ASSERT_TRUE(volumes) << volumes.error().message();
    ASSERT_NE(volumes->find("shakenfist"), nullptr);
    EXPECT_EQ(volumes->find("shakenfist")->servers.size(), 3u);
    EXPECT_EQ(volumes->local_path(*volumes->find("shakenfist"), "a")->path, "/srv/shakenfist/a");
}

INSTANTIATE_TEST_SUITE_P(Folders, RewriteGolden,
                         testing::ValuesIn(sorted(SFG_SOURCE_DIR "/tests/golden/rewrite")),
                         [](const auto& folder) {
                             std::string name = folder.param.filename();
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

}  // namespace
}  // namespace sfg::hooks
