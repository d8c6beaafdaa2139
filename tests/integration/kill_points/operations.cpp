// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/kill_points/operations.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "tests/support/command.hpp"
#include "tests/support/lab.hpp"

namespace sfg::test {
namespace {

constexpr unsigned long long kMiB = 1ULL << 20;

std::string make_request(const Expected& volume) {
    if (volume.format == "directory") return "mkdir NAME";
    return "create NAME " + volume.format + ' ' + std::to_string(volume.capacity) + ' ' +
           std::to_string(volume.allocation) + ' ' + (volume.base.empty() ? "-" : kBase);
}

bool copies(const Operation& operation, const std::string& source) {
    return operation.request.starts_with("clone ") && operation.request.ends_with(" " + source);
}

}  // namespace

std::string Operation::with_name(const std::string& text, const std::string& name) const {
    std::string out = text;
    const auto at = out.find("NAME");
    if (at != std::string::npos) out.replace(at, 4, name);
    return out;
}

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
    return out << operation.label;
}

std::vector<Operation> operations() {
    const Expected raw{"raw", 5 * kMiB}, qcow2{"qcow2", kBaseCapacity};
    const Expected overlay{"qcow2", kBaseCapacity, 0, kBase};
    const Expected overlay_below{"qcow2", kBaseCapacity, 0, "../../../base"};
    const Expected raw_clone{"raw", 5 * kMiB, 0, "", kRawSource};
    const Expected clone_below{"qcow2", 2 * kBaseCapacity, 0, "../../base", kSource};

    std::vector<Operation> all{
        {"CreateRaw", make_request(raw), "", "", raw},
        {"CreateRawAllocated", "", "", "", {"raw", 5 * kMiB, 5 * kMiB}},
        {"CreateQcow2", "", "", "", qcow2},
        {"CreateOverlayInNewDirectories", "", "", "sub/deep/", overlay_below},
        {"MakeDirectory", "", "", "parent/", {"directory"}},
        {"DeleteWithDirectories", "", "delete NAME", "sub/deep/", overlay_below, Does::deletes},
        {"CloneRaw", "clone NAME raw 0 - raw-source", "", "", raw_clone},
        {"CloneOverlayAndGrowIt", "clone NAME qcow2 134217728 base source", "", "sub/",
         clone_below},
        {"DeleteOverlay", "", "delete NAME", "", overlay, Does::deletes},
    };
    auto add_resize = [&](const std::string& label, const Expected& from, const Expected& to,
                          const std::string& how, const std::string& cluster_size = "") {
        all.push_back({label, make_request(from) + cluster_size,
                       "resize NAME " + std::to_string(to.capacity) + ' ' + how, "", from,
                       Does::changes, to});
    };
    add_resize("ResizeRaw", raw, {"raw", 9 * kMiB}, "-");
    add_resize("ResizeRawAllocated", raw, {"raw", 9 * kMiB, 9 * kMiB}, "allocate");
    add_resize("ShrinkRaw", raw, {"raw", 2 * kMiB}, "shrink");
    add_resize("ResizeOverlay", overlay, {"qcow2", 2 * kBaseCapacity, 0, kBase}, "-");
    add_resize("ResizeQcow2Allocated", {"qcow2", 2 * kMiB}, {"qcow2", 3 * kMiB}, "allocate");
    // 512-byte clusters: an entry of the L1 table stands for 32 KiB, so that the table has to move.
    add_resize("ResizeQcow2MovingItsL1Table", {"qcow2", kMiB}, {"qcow2", 16 * kMiB}, "-", " 512");
    for (auto& operation : all) {
        if (operation.make.empty()) operation.make = make_request(operation.volume);
        if (operation.request.empty()) operation.request = operation.make;
    }
    return all;
}

void FaultTest::SetUp() {
    const testing::TestInfo* const test = testing::UnitTest::GetInstance()->current_test_info();
    std::string label = std::string(test->test_suite_name()) + "." + test->name();
    std::replace(label.begin(), label.end(), '/', '-');
    Lab& lab = Lab::instance();
    directory_ = "/faults/" + label;
    mount_ = lab.mount_of(lab.volume());
    std::error_code ignored;
    std::filesystem::remove_all(fuse(), ignored);
    std::filesystem::create_directories(fuse());
    observer_ = std::make_unique<Session>(directory_);
    const Outcome base = observer_->request("create " + std::string(kBase) + " qcow2 " +
                                            std::to_string(kBaseCapacity) + " 0 -");
    ASSERT_TRUE(base.ok) << base.message;
}

void FaultTest::TearDown() {
    observer_.reset();
    std::error_code failed;
    std::filesystem::remove_all(fuse(), failed);
    EXPECT_FALSE(failed) << failed.message();
}

std::string FaultTest::fuse(const std::string& name) const {
    return mount_ + directory_ + (name.empty() ? "" : "/" + name);
}

testing::AssertionResult FaultTest::stands_whole(const std::string& name,
                                                 const Expected& expected) {
    const auto listed = listing().find(name);
    if (!listed) return testing::AssertionFailure() << name << " is not listed";
    if (expected.format != "directory" &&
        (listed->format != expected.format || listed->capacity != expected.capacity))
        return testing::AssertionFailure()
               << name << " is listed as " << listed->format << ", " << listed->capacity;
    if (auto whole = is_whole(fuse(name), expected); !whole || expected.same_as.empty())
        return whole;
    return has_same_contents(fuse(name), fuse(expected.same_as), expected.format);
}

testing::AssertionResult FaultTest::is_absent(const std::string& name) {
    if (listing().find(name)) return testing::AssertionFailure() << name << " is listed";
    struct stat stat;
    if (lstat(fuse(name).c_str(), &stat) == 0)
        return testing::AssertionFailure() << name << " is there over FUSE";
    return testing::AssertionSuccess();
}

void FaultTest::make_sources(const Operation& operation) {
    if (copies(operation, kRawSource)) {
        const Outcome made = observer().request("create " + std::string(kRawSource) + " raw " +
                                                std::to_string(5 * kMiB) + " 0 -");
        ASSERT_TRUE(made.ok) << made.message;
        const Ran written =
            run({"qemu-io", "-f", "raw", "-c", "write -P 1 0 1300k", "-c", "write -P 2 3M 300k",
                 "-c", "write -P 3 5242368 512", fuse(kRawSource)});
        ASSERT_TRUE(written.ok()) << written.output;
    } else if (copies(operation, kSource)) {
        const Outcome made = observer().request("create " + std::string(kSource) + " qcow2 " +
                                                std::to_string(kBaseCapacity) + " 0 " + kBase);
        ASSERT_TRUE(made.ok) << made.message;
        const Ran written = run({"qemu-io", "-f", "qcow2", "-c", "write -P 4 1M 1300k", "-c",
                                 "write -P 5 40M 64k", fuse(kSource)});
        ASSERT_TRUE(written.ok()) << written.output;
    }
}

testing::AssertionResult FaultTest::can_be_taken(Session& session, const std::string& name) {
    const auto listed = listing().find(name);
    if (!listed) return testing::AssertionFailure() << name << " is not listed";
    // To the size that it has, which needs the volume exclusively and changes nothing.
    const Outcome taken =
        session.request("resize " + name + ' ' + std::to_string(listed->capacity) + " -");
    if (taken.ok) return testing::AssertionSuccess();
    return testing::AssertionFailure() << taken.message;
}

testing::AssertionResult FaultTest::sources_can_be_taken(Session& session,
                                                         const Operation& operation) {
    for (const char* source : {kRawSource, kSource}) {
        if (!copies(operation, source)) continue;
        if (auto taken = can_be_taken(session, source); !taken) return taken;
    }
    return can_be_taken(session, kBase);
}

Outcome FaultTest::listing() {
    Outcome refresh = observer_->refresh();
    EXPECT_TRUE(refresh.ok) << refresh.message;
    for (const auto& volume : refresh.volumes)
        EXPECT_EQ(volume.name.find(".sfgluster-"), std::string::npos) << volume.name;
    return refresh;
}

void FaultTest::clear(const std::string& name) {
    std::filesystem::remove_all(fuse(name.substr(0, name.find('/'))));
}

void FaultTest::clear_after(const Operation& operation, const std::string& name) {
    clear(name);
    if (operation.does != Does::deletes) return;
    for (const auto& temporary : temporaries_below(fuse()))
        std::filesystem::remove(fuse(temporary));
}

std::unique_ptr<Session> FaultTest::impatient_session() const {
    Lab::instance().configure(1, "[driver]\ntemporary-age=0\n");
    auto session = std::make_unique<Session>(directory_);
    session->request("delete nothing");  // connects, for which the settings are read
    Lab::instance().configure(1, "");
    return session;
}

}  // namespace sfg::test
