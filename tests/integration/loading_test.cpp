// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What libvirtd gets when it opens our module, in each case that the loader knows. On the second
// host, so that the first one's libvirtd is not disturbed.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/guest.hpp"
#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;

constexpr int kHost = 2;

// One of the two modules that libvirt opens, both by the same loader.
struct Kind {
    std::string name;          // of the folder and the files: backend, file
    std::string served;        // as the loader says it
    std::string other_layout;  // a module built for another libvirt
};
const Kind kBackend{"backend", "gluster pools", SFG_OTHER_LAYOUT_BACKEND};
const Kind kFile{"file", "gluster disks of guests", SFG_OTHER_LAYOUT_FILE};

class LoadingTest : public testing::TestWithParam<Kind> {
  protected:
    void SetUp() override {
        tree_ = lab().scratch() + "/install-root";
        fs::remove_all(tree_);
        fs::copy(lab().install_root(), tree_,
                 fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    }

    void TearDown() override {
        if (client_) client_->forget("loading");
        client_.reset();
    }

    static void TearDownTestSuite() {
        const Ran started = lab().libvirtd_with_ours(kHost);
        EXPECT_TRUE(started.ok()) << started.output;
        fs::remove_all(lab().scratch() + "/install-root");
    }

    static Lab& lab() { return Lab::instance(); }
    std::string own(const std::string& file) const {
        return tree_ + SFG_LIBDIR + "/sf-gluster/" + file;
    }
    static std::string module() {
        return std::string("abi-") + SFG_LIBVIRT_VERSION + "-" + GetParam().name + ".so";
    }

    // libvirtd starts with what stands in the tree, and pools that are not gluster's work.
    void start(const std::vector<std::string>& more = {}) {
        std::vector<std::string> options{"--install-root", tree_};
        options.insert(options.end(), more.begin(), more.end());
        const Ran started = lab().libvirtd(kHost, "restart", options);
        ASSERT_TRUE(started.ok()) << started.output;
        client_.emplace(lab().path("LIBVIRT_URI", kHost));

        client_->forget("loading-local");
        auto local = client_->define(
            "<pool type='dir'><name>loading-local</name><target><path>/srv/loading-local</path>"
            "</target></pool>");
        ASSERT_TRUE(done(local));
        EXPECT_TRUE(done(local->build()));
        EXPECT_TRUE(done(local->start()));
        const auto volume = local->create(raw("a"));
        ASSERT_TRUE(done(volume));
        EXPECT_TRUE(done(volume->erase()));
        EXPECT_TRUE(done(local->stop()));
        EXPECT_TRUE(done(local->undefine()));

        // The other module is opened when a guest's disks are looked at for the first time.
        const std::string disk = "/srv/loading-local/disk";
        EXPECT_TRUE(lab().on_host(kHost, "qemu-img create -q -f qcow2 " + disk + " 1M").ok());
        EXPECT_TRUE(done(Guest::start(*client_, {"loading-local", {file_disk(disk)}, {}})));
    }

    // The lines that the loader of the tested module wrote.
    static std::vector<std::string> lines() {
        std::istringstream all(lab().standard_error_of_libvirtd(kHost));
        std::vector<std::string> found;
        for (std::string line; std::getline(all, line);)
            if (line.starts_with("sf-gluster: ") &&
                line.find(GetParam().served) != std::string::npos)
                found.push_back(line);
        return found;
    }

    void expect_line(const std::vector<std::string>& parts) {
        const auto found = lines();
        ASSERT_EQ(found.size(), 1u) << lab().standard_error_of_libvirtd(kHost);
        for (const auto& part : parts)
            EXPECT_NE(found.front().find(part), std::string::npos)
                << "'" << part << "' is not in: " << found.front();
    }

    Answer<Pool> define_gluster_pool() {
        PoolSpec spec;
        spec.name = "loading";
        spec.volume = lab().volume();
        spec.hosts = {{lab().gluster_host(), 0}};
        client_->forget(spec.name);
        return client_->define(spec);
    }

    // What the tested module is for works.
    void expect_ours() {
        const auto pool = define_gluster_pool();
        ASSERT_TRUE(done(pool));
        ASSERT_TRUE(done(pool->start()));
        const auto volume = pool->create(qcow2("loading"));
        ASSERT_TRUE(done(volume));
        if (GetParam().name == "file") {
            EXPECT_TRUE(done(Guest::start(
                *client_,
                quick_guest(lab(), "loading",
                            {network_disk(lab().volume(), "loading", {lab().gluster_host()})},
                            kHost))));
        }
        EXPECT_TRUE(done(volume->erase()));
    }

    // The stock module cannot delete pools, and says so at once; to start one takes it ten seconds.
    // The other one takes twenty for a guest, which is not waited for.
    void expect_stock() {
        if (GetParam().name == "file") return;
        const auto pool = define_gluster_pool();
        ASSERT_TRUE(done(pool));
        EXPECT_TRUE(refused(pool->erase(), VIR_ERR_NO_SUPPORT));
    }

    // Puts `to` in the place of `from`, of the same length, all over a file.
    static void patch(const std::string& file, const std::string& from, const std::string& to) {
        ASSERT_EQ(from.size(), to.size());
        std::ostringstream bytes;
        bytes << std::ifstream(file, std::ios::binary).rdbuf();
        std::string text = bytes.str();
        int changes = 0;
        for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
            text.replace(at, from.size(), to);
            ++changes;
        }
        ASSERT_GT(changes, 0) << "'" << from << "' is not in " << file;
        std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    }

    std::string tree_;
    std::optional<Client> client_;
};

INSTANTIATE_TEST_SUITE_P(Both, LoadingTest, testing::Values(kBackend, kFile),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace

TEST_P(LoadingTest, AModuleThatMatchesIsTaken) {
    start();
    expect_line({"served by", module()});
    expect_ours();
}

TEST_P(LoadingTest, TheModuleSaysItInLibvirtsLogToo) {
    start();
    const std::string said = lab().said_by_libvirtd(kHost);
    EXPECT_NE(said.find(GetParam().served +
                        " are served by sf-gluster, built for libvirt " SFG_LIBVIRT_VERSION),
              std::string::npos)
        << said;
}

// As when libvirt is upgraded and our module is not.
TEST_P(LoadingTest, AModuleForAnotherPrivateVersionGivesWayToStock) {
    const std::string real = std::string("LIBVIRT_PRIVATE_") + SFG_LIBVIRT_VERSION;
    std::string other = real;
    other.back() = other.back() == '9' ? '8' : '9';
    patch(own(module()), real, other);
    start();
    expect_line({"stock module", "LIBVIRT_PRIVATE_"});
    expect_stock();
}

TEST_P(LoadingTest, AModuleForAnotherLayoutGivesWayToStock) {
    fs::copy_file(GetParam().other_layout, own(module()), fs::copy_options::overwrite_existing);
    start();
    expect_line({"stock module", "laid out otherwise"});
    expect_stock();
}

TEST_P(LoadingTest, WithoutAModuleForThisVersionStockIsTaken) {
    fs::rename(own(module()), own("abi-1.2.3-" + GetParam().name + ".so"));
    start();
    expect_line({"stock module", SFG_LIBVIRT_VERSION, "there is no", module()});
    expect_stock();
}

TEST_P(LoadingTest, WithNeitherLibvirtdStartsWithoutGlusterPools) {
    fs::remove(own(module()));
    start({"--no-stock"});
    expect_line({"there are no " + GetParam().served, module(), "stock"});
    if (GetParam().name == "file") return;
    const auto pool = define_gluster_pool();
    EXPECT_FALSE(pool && pool->start().code == VIR_ERR_OK);
}

TEST_P(LoadingTest, AFileThatIsNoModuleGivesWayToStock) {
    std::ofstream(own(module()), std::ios::trunc) << "not a module\n";
    start();
    expect_line({"stock module", module()});
    expect_stock();
}

TEST_P(LoadingTest, WithoutItsLibraryTheModuleGivesWayToStock) {
    for (const auto& entry : fs::directory_iterator(own("")))
        if (entry.path().filename().string().starts_with("libsfgluster.so"))
            fs::remove(entry.path());
    start();
    expect_line({"stock module", "libsfgluster.so"});
    expect_stock();
}

TEST_P(LoadingTest, TheLoaderNeedsNothingOfLibvirtButItsVersion) {
    const Ran symbols = shell("nm -D --undefined-only " + quoted(tree_ + SFG_LIBDIR) +
                              "/libvirt/storage-" + GetParam().name + "/libvirt_storage_" +
                              GetParam().name + "_gluster.so | grep -o 'vir[A-Z].*'");
    EXPECT_EQ(symbols.output.substr(0, symbols.output.find('@')), "virGetVersion");
    EXPECT_EQ(std::count(symbols.output.begin(), symbols.output.end(), '\n'), 1) << symbols.output;
}

}  // namespace sfg::test
