// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/pool_fixture.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

constexpr char kTop[] = "it";

std::string hex(const std::string& bytes) {
    std::string out;
    for (const char c : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned char>(c));
        out += digits;
    }
    return out;
}

std::string attribute(const std::string& path, const char* name) {
    std::array<char, 256> value{};
    const ssize_t size = lgetxattr(path.c_str(), name, value.data(), value.size());
    return size < 0 ? "" : std::string(value.data(), static_cast<std::size_t>(size));
}

}  // namespace

testing::AssertionResult is_refusal(const Refusal& refusal, int code, const std::string& part) {
    const std::string got = "code " + std::to_string(refusal.code) + ": '" + refusal.message + "'";
    if (refusal.code == VIR_ERR_OK)
        return testing::AssertionFailure() << "it was not refused, code " << code << " expected";
    if (refusal.code != code)
        return testing::AssertionFailure() << got << " where code " << code << " is right";
    if (refusal.message.find('\n') != std::string::npos)
        return testing::AssertionFailure() << got << " has more than one line";
    if (refusal.message.find(part) == std::string::npos)
        return testing::AssertionFailure() << got << " does not say '" << part << "'";
    return testing::AssertionSuccess();
}

void PoolTest::SetUp() {
    const testing::TestInfo* const test = testing::UnitTest::GetInstance()->current_test_info();
    std::string label = std::string(test->test_suite_name()) + "." + test->name();
    std::replace(label.begin(), label.end(), '/', '-');
    name_ = label;
    directory_ = std::string("/") + kTop + "/" + label;

    // What an interrupted run left.
    client().forget(name_);
    ASSERT_TRUE(mount_answers());
    std::error_code ignored;
    fs::remove_all(fuse(), ignored);
    fs::create_directories(fuse());
    fs::remove_all(local());
    fs::create_directories(local());
    auto started = start(spec());
    ASSERT_TRUE(done(started));
    pool_ = *started;
}

void PoolTest::TearDown() {
    pool_.reset();
    for (const auto& [host, name] : started_) {
        if (const auto connection = clients_.find(host);
            connection != clients_.end() && !connection->second.is_alive())
            clients_.erase(connection);
        client(host).forget(name);
    }
    clients_.clear();
    ASSERT_TRUE(mount_answers());
    std::error_code failed;
    fs::remove_all(local(), failed);
    fs::remove_all(fuse(), failed);
    EXPECT_FALSE(failed) << fuse() << ": " << failed.message();
}

std::string PoolTest::local(const std::string& name) {
    return lab().scratch() + "/local/" + name;
}

bool PoolTest::mount_answers() const {
    return comes_true(
        [&] {
            std::error_code failed;
            return fs::exists(lab().mount_of(volume()), failed);
        },
        std::chrono::seconds(60));
}

Client& PoolTest::client(int host) {
    auto found = clients_.find(host);
    if (found == clients_.end())
        found = clients_.emplace(host, Client(lab().path("LIBVIRT_URI", host))).first;
    return found->second;
}

void PoolTest::reconnect(int host) {
    clients_.erase(host);
    if (host != 1) return;
    auto found = client(1).pool(name_);
    ASSERT_TRUE(done(found));
    pool_ = *found;
}

Pool PoolTest::pool_on(int host) {
    if (auto found = client(host).pool(name_); found && found->is_active()) return *found;
    auto started = start(spec(), host);
    EXPECT_TRUE(done(started));
    if (!started) throw std::runtime_error("no pool on host " + std::to_string(host));
    return *started;
}

PoolSpec PoolTest::spec() const {
    PoolSpec spec;
    spec.name = name_;
    spec.volume = volume();
    spec.directory = directory_;
    spec.hosts = {{lab().gluster_host(), 0}};
    return spec;
}

Answer<Pool> PoolTest::define(const PoolSpec& spec, int host) {
    client(host).forget(spec.name);
    started_.emplace_back(host, spec.name);
    return client(host).define(spec);
}

Answer<Pool> PoolTest::start(const PoolSpec& spec, int host) {
    auto defined = define(spec, host);
    if (!defined) return defined;
    if (const Refusal refusal = defined->start(); refusal.code != VIR_ERR_OK)
        return {std::nullopt, refusal};
    return defined;
}

std::string PoolTest::fuse(const std::string& name) const {
    const std::string top = lab().mount_of(volume()) + directory_;
    return name.empty() ? top : top + "/" + name;
}

std::string PoolTest::brick(const std::string& name) const {
    const std::string top = lab().path("NODE1_BRICK1") + directory_;
    return name.empty() ? top : top + "/" + name;
}

bool PoolTest::exists(const std::string& name) const {
    struct stat status {};
    return lstat(brick(name).c_str(), &status) == 0;
}

std::vector<std::string> PoolTest::on_brick() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(brick()))
        all.push_back(entry.path().lexically_relative(brick()).string() + " " +
                      hex(attribute(entry.path(), "trusted.gfid")));
    std::sort(all.begin(), all.end());
    return all;
}

std::string PoolTest::gfid(const std::string& name) const {
    return hex(attribute(brick(name), "trusted.gfid"));
}

std::string PoolTest::uri(const std::string& name) const {
    return "gluster://" + lab().gluster_host() + "/" + volume() + directory_ + "/" + name;
}

void PoolTest::write_file(const std::string& name, const std::string& bytes) const {
    const fs::path path = fuse(name);
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << bytes;
    file.close();
    ASSERT_TRUE(file) << path << ": " << std::strerror(errno);
    // The kernel keeps what it has written until the mtime changes from one that it has been told:
    // without this look, who reads here would not see what others write later.
    static_cast<void>(fs::file_size(path));
}

std::string PoolTest::read_file(const std::string& name) const {
    std::ifstream file(fuse(name), std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

}  // namespace sfg::test
