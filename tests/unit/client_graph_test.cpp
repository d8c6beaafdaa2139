// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/client_graph.hpp"

#include <gtest/gtest.h>

#include <map>

#include "driver/gluster/attendance.hpp"

namespace sfg {
namespace {

GraphNode client(const std::string& name) {
    return {name, "protocol/client", "host:/" + name, {}};
}

GraphNode node(const std::string& name, const std::string& type, std::vector<GraphNode> children) {
    return {name, type, "", std::move(children)};
}

// What the translators say: all is well but for what a test changes.
class Bricks {
  public:
    Bricks() {
        for (const char* name : {"a1", "a2", "a3", "b1", "b2", "b3"}) set(name, "connected = 1");
        set("a", "up = 1");
        set("b", "up = 1");
        set("dht", "gen = 3\nsubvolume_status[0] = 1\nsubvolume_status[1] = 1");
    }
    Bricks& set(const std::string& name, const std::string& text) {
        texts_[name] = "[xlator." + name + "]\n" + text + "\n";
        return *this;
    }
    BricksSeen see(const GraphNode& top) const {
        auto seen = judge_graph(top, [&](const GraphNode& asked) -> Result<std::string> {
            return texts_.at(asked.name);
        });
        EXPECT_TRUE(seen) << seen.error().message();
        return *seen;
    }

  private:
    std::map<std::string, std::string> texts_;
};

using Names = std::vector<std::string>;

GraphNode distributed() {
    return node("top", "debug/io-stats",
                {node("dht", "cluster/distribute", {client("a1"), client("b1")})});
}

GraphNode sets_of(const std::string& type) {
    return node("dht", "cluster/distribute",
                {node("a", type, {client("a1"), client("a2"), client("a3")}),
                 node("ahead", "performance/readdir-ahead",
                      {node("b", type, {client("b1"), client("b2"), client("b3")})})});
}

TEST(BricksInSight, AllHideNothing) {
    const auto seen = Bricks().see(distributed());
    EXPECT_TRUE(seen.hidden.empty());
    EXPECT_EQ(seen.connected, 2u);
    EXPECT_EQ(Bricks().see(sets_of("cluster/replicate")).connected, 6u);
}

TEST(BricksInSight, OneOfADistributedVolumeHidesItsPart) {
    const auto seen = Bricks().set("b1", "connected = 0").see(distributed());
    EXPECT_EQ(seen.hidden, Names{"host:/b1"});
    EXPECT_EQ(seen.connected, 1u);
}

TEST(BricksInSight, OneOfASetWithQuorumHidesNothing) {
    for (const char* type : {"cluster/replicate", "cluster/disperse"}) {
        const auto seen = Bricks().set("b3", "connected = 0").see(sets_of(type));
        EXPECT_TRUE(seen.hidden.empty()) << type;
        EXPECT_EQ(seen.connected, 5u);
    }
}

TEST(BricksInSight, ASetWithoutQuorumHidesItsPart) {
    for (const char* type : {"cluster/replicate", "cluster/disperse"}) {
        const auto seen = Bricks()
                              .set("b2", "connected = 0")
                              .set("b3", "connected = 0")
                              .set("b", "up = 0")
                              .see(sets_of(type));
        EXPECT_EQ(seen.hidden, (Names{"host:/b2", "host:/b3"})) << type;
    }
}

// Without a quorum (replica 2 by default) "up" says nothing.
TEST(BricksInSight, ASetOfWhichNoneIsThereHidesItsPart) {
    Bricks bricks;
    for (const char* name : {"b1", "b2", "b3"}) bricks.set(name, "connected = 0");
    EXPECT_EQ(bricks.see(sets_of("cluster/replicate")).hidden.size(), 3u);
}

TEST(BricksInSight, ASetThatIsNotUpYetHidesItsPart) {
    EXPECT_EQ(Bricks().set("b", "up = 0").see(sets_of("cluster/replicate")).hidden.size(), 3u);
}

// features.uss puts a client of the snapshot daemon beside the volume.
TEST(BricksInSight, TheSnapshotDaemonIsNone) {
    const auto top =
        node("top", "debug/io-stats",
             {node("snapview", "features/snapview-client", {distributed(), client("a2")})});
    const auto seen = Bricks().set("a2", "connected = 0").see(top);
    EXPECT_TRUE(seen.hidden.empty());
    EXPECT_EQ(seen.connected, 2u);
    EXPECT_EQ(snapshot_translator_in(top), "snapview");
    EXPECT_EQ(snapshot_translator_in(distributed()), "");
}

TEST(BricksInSight, AThinArbiterIsNone) {
    const auto top = node("a", "cluster/replicate", {client("a1"), client("a2"), client("a3")});
    const auto seen =
        Bricks().set("a", "child_count = 2\nup = 1").set("a3", "connected = 0").see(top);
    EXPECT_TRUE(seen.hidden.empty());
    EXPECT_EQ(seen.connected, 2u);
    EXPECT_EQ(Bricks().set("a", "child_count = 2\nup = 1").see(top).connected, 2u);
}

TEST(BricksInSight, EveryComingAndGoingShowsInTheState) {
    const auto before = Bricks().see(sets_of("cluster/replicate")).state;
    EXPECT_EQ(Bricks().see(sets_of("cluster/replicate")).state, before);
    const auto changed = [&](const std::string& name, const std::string& text) {
        return Bricks().set(name, text).see(sets_of("cluster/replicate")).state != before;
    };
    EXPECT_TRUE(changed("a2", "connected = 0"));
    EXPECT_TRUE(changed("a", "up = 1\nchild_up[0] = 0"));
    EXPECT_TRUE(changed("dht", "gen = 4\nsubvolume_status[0] = 1\nsubvolume_status[1] = 1"))
        << "a subvolume was away and is back";
    EXPECT_TRUE(changed("dht", "gen = 3\nsubvolume_status[0] = 0\nsubvolume_status[1] = 1"));
}

TEST(BricksInSight, WhatCannotBeAskedIsAnError) {
    const auto seen = judge_graph(distributed(), [](const GraphNode&) -> Result<std::string> {
        return Error(ErrorKind::io, "no");
    });
    EXPECT_FALSE(seen);
}

TEST(DumpedValues, AreFoundByTheirWholeKey) {
    const std::string text = "[section]\nreconnected = 5\nconnected = 1\nup = \ngen = 7";
    EXPECT_EQ(dumped_value(text, "connected"), "1");
    EXPECT_EQ(dumped_value(text, "gen"), "7");
    EXPECT_EQ(dumped_value(text, "up"), "");
    EXPECT_EQ(dumped_value(text, "section"), "");
}

TEST(Attended, NamesTheBricksAndWhatToDo) {
    Attended attended;
    EXPECT_TRUE(attended.complete());
    attended.told = false;
    EXPECT_FALSE(attended.complete());
    EXPECT_NE(attended.why("gv0").find("does not tell"), std::string::npos);
    attended.told = true;
    attended.steady = false;
    EXPECT_NE(attended.why("gv0").find("try again"), std::string::npos);
    attended.hidden = {"h:/b1"};
    EXPECT_EQ(attended.why("gv0").find("brick h:/b1 of gluster volume 'gv0' does not answer"), 0u);
    attended.hidden = {"h:/1", "h:/2", "h:/3", "h:/4", "h:/5", "h:/6"};
    EXPECT_EQ(attended.why("gv0").find("bricks h:/1, h:/2, h:/3, h:/4 and 2 more of"), 0u);
}

}  // namespace
}  // namespace sfg
