// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/kill_points/operations.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "tests/support/lab.hpp"

namespace sfg::test {
namespace {

constexpr unsigned long long kMiB = 1ULL << 20;

}  // namespace

std::string Operation::with_name(const std::string& text, const std::string& name) const {
    std::string out = text;
    const auto at = out.find("NAME");
    if (at != std::string::npos) out.replace(at, 4, name);
    return out;
}

std::string Operation::make() const {
    if (volume.format == "directory") return "mkdir NAME";
    return "create NAME " + volume.format + ' ' + std::to_string(volume.capacity) + ' ' +
           std::to_string(volume.allocation) + ' ' + (volume.base.empty() ? "-" : kBase);
}

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
    return out << operation.label;
}

std::vector<Operation> operations() {
    std::vector<Operation> all{
        {"CreateRaw", "", "", {"raw", 5 * kMiB}},
        {"CreateRawAllocated", "", "", {"raw", 5 * kMiB, 5 * kMiB}},
        {"CreateQcow2", "", "", {"qcow2", kBaseCapacity}},
        {"CreateOverlayInNewDirectories",
         "",
         "sub/deep/",
         {"qcow2", kBaseCapacity, 0, "../../../base"}},
        {"MakeDirectory", "", "parent/", {"directory"}},
    };
    for (auto& operation : all) operation.request = operation.make();
    all.push_back({"DeleteWithDirectories",
                   "delete NAME",
                   "sub/deep/",
                   {"qcow2", kBaseCapacity, 0, "../../../base"},
                   true});
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
    return is_whole(fuse(name), expected);
}

testing::AssertionResult FaultTest::is_absent(const std::string& name) {
    if (listing().find(name)) return testing::AssertionFailure() << name << " is listed";
    struct stat stat;
    if (lstat(fuse(name).c_str(), &stat) == 0)
        return testing::AssertionFailure() << name << " is there over FUSE";
    return testing::AssertionSuccess();
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

std::unique_ptr<Session> FaultTest::impatient_session() const {
    Lab::instance().configure(1, "[driver]\ntemporary-age=0\n");
    auto session = std::make_unique<Session>(directory_);
    session->request("delete nothing");  // connects, for which the settings are read
    Lab::instance().configure(1, "");
    return session;
}

}  // namespace sfg::test
