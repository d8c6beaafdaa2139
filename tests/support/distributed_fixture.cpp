// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/distributed_fixture.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <sstream>
#include <thread>

#include "tests/support/stream_client.hpp"

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

}  // namespace

bool everybody_is_connected(Lab& lab, const std::string& volume, std::size_t bricks) {
    const Ran status = lab.gluster({"volume", "status", volume, "clients", "--xml"});
    const auto counts =
        XmlText(status.output).all("//node[clientsStatus]/clientsStatus/clientCount");
    return counts.size() == bricks &&
           std::all_of(counts.begin(), counts.end(),
                       [&](const std::string& count) { return count == counts[0]; });
}

bool every_case() {
    return std::getenv("SFG_EVERY_CASE") != nullptr;
}

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

std::string label_of(const VolumeKind& kind) {
    return kind.name.empty() ? "two_bricks" : kind.name;
}

void PrintTo(const VolumeKind& kind, std::ostream* out) {
    *out << label_of(kind);
}

void PrintTo(const Taking& taking, std::ostream* out) {
    *out << taking.name;
}

std::vector<Taking> takings() {
    return {{"wipe", [](const Volume& volume) { return wipe(volume); }},
            {"upload", [](const Volume& volume) { return upload(volume, "x"); }},
            {"shrink",
             [](const Volume& volume) {
                 return resize(volume, kTakenFrom / 2, VIR_STORAGE_VOL_RESIZE_SHRINK);
             }},
            {"delete", [](const Volume& volume) { return volume.erase(); }}};
}

void DistributedPoolTest::SetUp() {
    static int count = 0;
    volume_ = kind_.name.empty() ? lab().volume() : kind_.name;
    if (kind_.of_one_test) {
        volume_ += std::to_string(++count);
        // What an interrupted run left.
        lab().call("volume", {"--delete", volume_});
    }
    if (!kind_.name.empty()) {
        std::vector<std::string> options{"--bricks", std::to_string(kind_.bricks)};
        if (!kind_.layout.empty()) options.insert(options.end(), {"--layout", kind_.layout});
        lab().extra_volume(volume_, options);
    }
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
    if (!kind_.of_one_test) return;
    lab().on_host(1, "umount -l " + quoted(lab().mount_of(volume())));
    const Ran deleted = lab().call("volume", {"--delete", volume()});
    EXPECT_TRUE(deleted.ok()) << deleted.output;
}

std::string DistributedPoolTest::volume() const {
    return volume_;
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

testing::AssertionResult DistributedPoolTest::hidden_by(const Refusal& refusal,
                                                        const std::vector<int>& bricks) const {
    // What a volume that does not answer is, by the driver.
    const int code =
        refusal.code == VIR_ERR_SYSTEM_ERROR ? VIR_ERR_SYSTEM_ERROR : VIR_ERR_OPERATION_FAILED;
    for (const int brick : bricks)
        if (refusal.message.find(brick_path(brick)) != std::string::npos)
            return is_refusal(refusal, code, brick_path(brick));
    return is_refusal(refusal, code, brick_path(bricks.at(0)));
}

void DistributedPoolTest::hear() {
    heard_ = lab().said_by_libvirtd(1).size();
}

std::string DistributedPoolTest::heard() const {
    const std::string all = lab().said_by_libvirtd(1);
    return all.substr(std::min(heard_, all.size()));
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
    // The bricks know of a connection a moment before their clients have told themselves of it.
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
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

void DistributedPoolTest::make_overlay(const std::string& name, const std::string& recorded) const {
    fs::create_directories(fs::path(fuse(name)).parent_path());
    const Ran made = shell("qemu-img create -q -f qcow2 -u -F qcow2 -b " + quoted(recorded) + " " +
                           quoted(fuse(name)) + " " + std::to_string(kTakenFrom));
    ASSERT_TRUE(made.ok()) << made.output;
}

void DistributedPoolTest::slow_down(int kilobits) {
    slow_ = true;
    // A packet of that interface has up to 64 KiB. (There are kernels without netem.)
    const Ran slowed =
        lab().on_host(1, "tc qdisc add dev lo root tbf rate " + std::to_string(kilobits) +
                             "kbit burst 66kb limit 32mb");
    ASSERT_TRUE(slowed.ok()) << slowed.output;
}

void DistributedPoolTest::as_fast_as_ever() {
    const Ran freed = lab().on_host(1, "tc qdisc del dev lo root");
    EXPECT_TRUE(freed.ok()) << freed.output;
    slow_ = false;
}

}  // namespace sfg::test
