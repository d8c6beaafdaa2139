// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The faults stand before each gfapi function that the driver uses: one that is new to it needs a
// line in gfapi_faults.c.
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "tests/support/command.hpp"

namespace sfg::test {
namespace {

std::set<std::string> gfapi_functions(const std::string& file, const std::string& kind) {
    const Ran ran = shell("nm -D " + kind + ' ' + quoted(file));
    EXPECT_TRUE(ran.ok()) << ran.output;
    std::set<std::string> names;
    std::istringstream words(ran.output);
    for (std::string word; words >> word;)
        if (word.starts_with("glfs_")) names.insert(word.substr(0, word.find('@')));
    return names;
}

TEST(GfapiFaults, StandBeforeEachFunctionThatReachesGluster) {
    // These ask nobody: they handle memory of the process, or what glfs_init will need.
    const std::set<std::string> local{
        "glfs_fd_set_lkowner",
        "glfs_fini",
        "glfs_free",
        "glfs_get_volfile",
        "glfs_get_volumeid",
        "glfs_h_close",
        "glfs_h_extract_handle",
        "glfs_new",
        "glfs_object_copy",
        "glfs_set_logging",
        "glfs_setfsgid",
        "glfs_setfsgroups",
        "glfs_setfsuid",
        "glfs_set_volfile_server",
        "glfs_set_xlator_option",
        "glfs_xreaddirplus_get_object",
        "glfs_xreaddirplus_get_stat",
    };
    const auto faults = gfapi_functions(SFG_GFAPI_FAULTS, "--defined-only");
    for (const auto& name : gfapi_functions(SFG_LIBRARY, "--undefined-only"))
        EXPECT_TRUE(faults.contains(name) || local.contains(name)) << name;
}

}  // namespace
}  // namespace sfg::test
