// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/distributed_fixture.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sstream>

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr char kLinkOfDistribution[] = "trusted.glusterfs.dht.linkto";

// A file that is there, and not just a note that it is on another brick.
bool has_file(const std::string& path) {
    struct stat status {};
    return lstat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode) &&
           lgetxattr(path.c_str(), kLinkOfDistribution, nullptr, 0) < 0;
}

bool everybody_is_connected(Lab& lab, const std::string& volume, std::size_t bricks) {
    const Ran status = lab.gluster({"volume", "status", volume, "clients", "--xml"});
    const auto counts =
        XmlText(status.output).all("//node[clientsStatus]/clientsStatus/clientCount");
    return counts.size() == bricks &&
           std::all_of(counts.begin(), counts.end(),
                       [&](const std::string& count) { return count == counts[0]; });
}

}  // namespace

VolumeKind two_bricks() {
    return {};
}
VolumeKind one_pair() {
    return {"pair", "replica 2", 2, 2};
}
VolumeKind two_pairs() {
    return {"pairs", "replica 2", 4, 2};
}
VolumeKind three_copies() {
    return {"copies", "replica 3", 3, 3};
}
VolumeKind with_an_arbiter() {
    return {"arbiter", "replica 3 arbiter 1", 3, 3};
}
VolumeKind dispersed() {
    return {"dispersed", "disperse 3 redundancy 1", 3, 3};
}

void DistributedPoolTest::SetUp() {
    if (!kind_.name.empty())
        lab().extra_volume(kind_.name,
                           {"--layout", kind_.layout, "--bricks", std::to_string(kind_.bricks)});
    const Ran info = lab().gluster({"volume", "info", volume(), "--xml"});
    bricks_ = XmlText(info.output).all("//brick/name");
    ASSERT_EQ(bricks_.size(), static_cast<std::size_t>(kind_.bricks)) << info.output;
    PoolTest::SetUp();
}

void DistributedPoolTest::TearDown() {
    if (slow_) as_fast_as_ever();
    const std::set<int> touched = touched_;
    for (const int brick : touched) start_brick(brick);
    if (!touched.empty()) heal();
    PoolTest::TearDown();
}

std::string DistributedPoolTest::volume() const {
    return kind_.name.empty() ? lab().volume() : kind_.name;
}

std::string DistributedPoolTest::brick_name(int brick) const {
    return bricks_.at(static_cast<std::size_t>(brick) - 1);
}

std::string DistributedPoolTest::brick_path(int brick) const {
    const std::string name = brick_name(brick);
    return name.substr(name.find(':') + 1);
}

std::string DistributedPoolTest::brick(const std::string& name) const {
    const int found = name.empty() ? 0 : brick_of(name);
    const std::string top = brick_path(found == 0 ? 1 : found) + directory_in_volume();
    return name.empty() ? top : top + "/" + name;
}

std::vector<int> DistributedPoolTest::bricks_with(const std::string& name) const {
    std::vector<int> found;
    for (int one = 1; one <= kind_.bricks; ++one)
        if (has_file(brick_path(one) + directory_in_volume() + "/" + name)) found.push_back(one);
    return found;
}

int DistributedPoolTest::brick_of(const std::string& name) const {
    const auto found = bricks_with(name);
    return found.empty() ? 0 : found[0];
}

std::vector<std::string> DistributedPoolTest::names_on(int brick, int count,
                                                       const std::string& prefix) const {
    std::vector<std::string> names;
    for (int i = 0; names.size() < static_cast<std::size_t>(count) && i < 64 * (count + 1); ++i) {
        const std::string name = prefix + std::to_string(i);
        if (fs::exists(fuse(name))) continue;
        write_file(name, "");
        const auto with = bricks_with(name);
        if (std::find(with.begin(), with.end(), brick) != with.end()) names.push_back(name);
        fs::remove(fuse(name));
    }
    if (names.size() != static_cast<std::size_t>(count))
        throw std::runtime_error("distribution puts too few of '" + prefix + "...' on brick " +
                                 std::to_string(brick));
    return names;
}

std::string DistributedPoolTest::name_on(int brick, const std::string& prefix) const {
    return names_on(brick, 1, prefix)[0];
}

void DistributedPoolTest::kill_brick(int brick) {
    touched_.insert(brick);
    const Ran killed = lab().call("brick", {volume(), std::to_string(brick), "kill"});
    ASSERT_TRUE(killed.ok()) << killed.output;
}

void DistributedPoolTest::pause_brick(int brick) {
    touched_.insert(brick);
    const Ran paused = lab().call("brick", {volume(), std::to_string(brick), "pause"});
    ASSERT_TRUE(paused.ok()) << paused.output;
}

void DistributedPoolTest::resume_brick(int brick) {
    const Ran resumed = lab().call("brick", {volume(), std::to_string(brick), "resume"});
    ASSERT_TRUE(resumed.ok()) << resumed.output;
}

void DistributedPoolTest::begin_start_brick(int brick) {
    const Ran started = lab().call("brick", {volume(), std::to_string(brick), "start"});
    ASSERT_TRUE(started.ok()) << started.output;
}

void DistributedPoolTest::start_brick(int brick) {
    begin_start_brick(brick);
    // `gluster volume start force` starts all that are down.
    reconnected();
    touched_.erase(brick);
}

void DistributedPoolTest::reconnected() {
    EXPECT_TRUE(comes_true([&] { return everybody_is_connected(lab(), volume(), bricks_.size()); },
                           seconds(60)));
}

void DistributedPoolTest::heal() {
    if (kind_.in_a_set == 1) return;
    EXPECT_TRUE(comes_true(
        [&] {
            lab().gluster({"volume", "heal", volume()});
            const Ran left = lab().gluster({"volume", "heal", volume(), "info"});
            std::istringstream lines(left.output);
            int clean = 0;
            for (std::string line; std::getline(lines, line);)
                clean += line == "Number of entries: 0" ? 1 : 0;
            return clean == kind_.bricks;
        },
        seconds(60)));
}

void DistributedPoolTest::slow_down(int milliseconds) {
    slow_ = true;
    const Ran slowed = lab().on_host(
        1, "tc qdisc add dev lo root netem delay " + std::to_string(milliseconds) + "ms");
    ASSERT_TRUE(slowed.ok()) << slowed.output;
}

void DistributedPoolTest::as_fast_as_ever() {
    const Ran freed = lab().on_host(1, "tc qdisc del dev lo root");
    EXPECT_TRUE(freed.ok()) << freed.output;
    slow_ = false;
}

}  // namespace sfg::test
