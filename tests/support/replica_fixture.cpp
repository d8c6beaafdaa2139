// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/replica_fixture.hpp"

#include <chrono>
#include <sstream>

namespace sfg::test {
namespace {

using std::chrono::seconds;

// Each brick has the same clients.
bool everybody_is_connected(Lab& lab) {
    const Ran status = lab.gluster({"volume", "status", lab.volume(), "clients", "--xml"});
    const auto counts =
        XmlText(status.output).all("//node[clientsStatus]/clientsStatus/clientCount");
    return counts.size() == 3 && counts[0] == counts[1] && counts[1] == counts[2];
}

}  // namespace

void ReplicaPoolTest::TearDown() {
    for (int node = 1; node <= 3; ++node) {
        if (cut_ == node) lab().node(node, "join");
        lab().node(node, "resume");
        const Ran started = lab().node(node, "start");
        EXPECT_TRUE(started.ok()) << started.output;
    }
    // Hosts that reach different copies can harm each other's work: gluster then has two files
    // of one name and cannot tell which is right.
    reconnected();
    heal();
    PoolTest::TearDown();
}

void ReplicaPoolTest::reconnected() {
    EXPECT_TRUE(comes_true([&] { return everybody_is_connected(lab()); }, seconds(60)));
}

void ReplicaPoolTest::heal() {
    EXPECT_TRUE(comes_true(
        [&] {
            lab().gluster({"volume", "heal", lab().volume()});
            const Ran left = lab().gluster({"volume", "heal", lab().volume(), "info"});
            std::istringstream lines(left.output);
            int clean = 0;
            for (std::string line; std::getline(lines, line);)
                clean += line == "Number of entries: 0" ? 1 : 0;
            return clean == 3;
        },
        seconds(60)));
}

PoolSpec ReplicaPoolTest::with_all_hosts() const {
    PoolSpec all = spec();
    all.name += "-all";
    all.hosts.clear();
    std::istringstream hosts(lab().path("GLUSTER_HOSTS"));
    for (std::string host; hosts >> host;) all.hosts.emplace_back(host, 0);
    return all;
}

std::string ReplicaPoolTest::brick_of(int node, const std::string& name) const {
    return lab().path("NODE" + std::to_string(node) + "_BRICK1") + directory_in_volume() + "/" +
           name;
}

void ReplicaPoolTest::cut(int node) {
    cut_ = node;
    const Ran done = lab().node(node, "cut");
    ASSERT_TRUE(done.ok()) << done.output;
}

}  // namespace sfg::test
