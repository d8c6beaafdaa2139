// SPDX-License-Identifier: LGPL-2.1-or-later
// Whatever a failing call, a killed process or a power cut leaves of a resize or a preallocation
// is a clean image, with the guest's data, of the old or the new size.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <string>

#include "driver/qcow2/header.hpp"
#include "driver/qcow2/preallocate.hpp"
#include "driver/qcow2/resize.hpp"
#include "tests/support/fault_store.hpp"
#include "tests/support/qcow2_builder.hpp"
#include "tests/support/qcow2_checker.hpp"
#include "tests/support/recording_store.hpp"

namespace sfg::qcow2 {

namespace {

using test::FaultStore;
using test::MemoryStore;
using test::Qcow2Recipe;
using test::RecordingStore;
using Preallocation = CreateOptions::Preallocation;

// One change of one image.
struct Case {
    std::string name;
    MemoryStore image;
    std::uint64_t old_size = 0;
    std::uint64_t new_size = 0;
    std::function<Result<void>(ByteSource&)> change;
};

// Changes that replace tables, and a few that do not.
Case random_case(unsigned seed) {
    std::mt19937_64 random(seed);
    Qcow2Recipe recipe = test::random_recipe(random);
    const std::uint64_t cluster = std::uint64_t{1} << recipe.cluster_bits;
    recipe.virtual_size = recipe.virtual_size / 3 / 512 * 512;
    recipe.used_size /= 3;
    recipe.base.clear();
    Case c;
    c.old_size = c.new_size = recipe.virtual_size;
    ResizeOptions options;
    options.allow_shrink = true;
    switch (seed % 4) {
        case 0:
            c.new_size += random() % (20000 * cluster) / 512 * 512;
            break;
        case 1:
            recipe.l1_slack = recipe.empty_l2_behind = 1 + random() % 3;
            recipe.used_size /= 2;
            c.new_size = (recipe.used_size + cluster - 1) / cluster * cluster;
            break;
        case 2:
            c.new_size += random() % (100 * cluster) / 512 * 512;
            break;
        default: {
            const auto mode = static_cast<Preallocation>(1 + random() % 3);
            c.change = [mode](ByteSource& file) { return preallocate(file, mode); };
        }
    }
    c.name = "seed " + std::to_string(seed) + " " + describe(recipe) + " to " +
             std::to_string(c.new_size);
    c.image = build_qcow2(recipe, random);
    options.virtual_size = c.new_size;
    if (!c.change) c.change = [options](ByteSource& file) { return resize(file, options); };
    return c;
}

class Judge {
  public:
    explicit Judge(Case& c)
        : case_(c), content_(test::guest_content(c.image, std::min(c.old_size, c.new_size))) {}

    // Empty, or what is wrong with what is left.
    std::string look(MemoryStore& left) {
        if (const std::string problem = test::check_qcow2(left); !problem.empty()) return problem;
        const auto header = read_header(left);
        if (!header) return header.error().message();
        if (header->virtual_size != case_.old_size && header->virtual_size != case_.new_size)
            return "the size is " + std::to_string(header->virtual_size);
        // qemu's gluster driver cannot read a table whose cluster is not there to its end.
        if (header->virtual_size != case_.old_size && *left.size() % header->cluster_size() != 0)
            return "the new tables are there and the last cluster is not whole";
        if (test::guest_content(left, std::min(case_.old_size, case_.new_size)) != content_)
            return "the guest reads something else";
        if (test::guest_content(left, header->virtual_size).size() > content_.size() &&
            case_.new_size > case_.old_size)
            return "the new part does not read as zeros";
        return "";
    }

  private:
    Case& case_;
    std::map<std::uint64_t, std::string> content_;
};

}  // namespace

TEST(Qcow2CrashTest, APowerCutLeavesACleanImageOfOldOrNewSize) {
    int states = 0, replaced = 0;
    for (unsigned seed = 0; seed < 100; ++seed) {
        Case c = random_case(seed);
        SCOPED_TRACE(c.name);
        Judge judge(c);
        ASSERT_EQ(judge.look(c.image), "");
        RecordingStore file(c.image);
        auto done = c.change(file);
        ASSERT_TRUE(done) << done.error().message();
        ASSERT_EQ(judge.look(file.content()), "");
        if (file.changes().size() > 3) ++replaced;

        std::mt19937_64 random(seed);
        std::string problem;
        file.for_each_crash(12, random, [&](MemoryStore& left) {
            ++states;
            if (problem.empty()) problem = judge.look(left);
        });
        ASSERT_EQ(problem, "");
    }
    EXPECT_GT(states, 1500);
    EXPECT_GT(replaced, 50);
}

TEST(Qcow2CrashTest, WhatWasReportedAsDoneSurvivesAPowerCut) {
    for (unsigned seed = 0; seed < 40; ++seed) {
        Case c = random_case(seed);
        SCOPED_TRACE(c.name);
        FaultStore file(c.image);
        ASSERT_TRUE(c.change(file));
        EXPECT_EQ(file.unflushed(), 0u);
    }
}

TEST(Qcow2CrashTest, AFailingCallLeavesACleanImageAndGivesTheSpaceBack) {
    for (unsigned seed = 0; seed < 32; ++seed) {
        Case c = random_case(seed);
        SCOPED_TRACE(c.name);
        Judge judge(c);
        FaultStore whole(c.image);
        ASSERT_TRUE(c.change(whole));
        for (std::size_t call = 0; call < whole.log().size(); ++call) {
            for (int way = 0; way < 4; ++way) {
                FaultStore file(c.image);
                file.faults().fail_call = call;
                file.faults().torn_writes = (way & 1) != 0;
                file.faults().stay_dead = (way & 2) != 0;
                file.faults().error = Error(ErrorKind::io, "call failed");
                auto done = c.change(file);
                ASSERT_FALSE(done) << "call " << call;
                EXPECT_EQ(done.error().message(), "call failed");
                // A header's write is less than a sector: the half of it is nothing a disk does.
                const auto& entry = whole.log()[call];
                const bool header_write =
                    entry.call == FaultStore::Call::write && entry.offset == 0;
                if (header_write && file.faults().torn_writes) continue;
                ASSERT_EQ(judge.look(file.content()), "") << "call " << call;
                const bool switched = call + 2 >= whole.log().size();
                if (switched || file.faults().stay_dead) continue;
                // At most the padding of the last cluster stays.
                EXPECT_LT(*file.content().size() - *c.image.size(), 16384u) << "call " << call;
            }
        }
    }
}

TEST(Qcow2CrashTest, ShortReadsChangeNothing) {
    for (unsigned seed = 0; seed < 24; ++seed) {
        Case c = random_case(seed);
        SCOPED_TRACE(c.name);
        FaultStore usual(c.image);
        FaultStore file(c.image);
        file.faults().max_read = 100;
        ASSERT_TRUE(c.change(usual));
        ASSERT_TRUE(c.change(file));
        const std::size_t length = static_cast<std::size_t>(*usual.content().size());
        EXPECT_TRUE(usual.content().bytes(0, length) == file.content().bytes(0, length));
    }
}

}  // namespace sfg::qcow2
