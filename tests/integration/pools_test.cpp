// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is done with a pool as a whole.
#include <gtest/gtest.h>
#include <sys/statvfs.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "tests/support/pool_fixture.hpp"

namespace sfg::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

class PoolsTest : public PoolTest {
  protected:
    // On the second host, which is restarted at will.
    static constexpr int kOther = 2;
    // A port that nobody listens on.
    static constexpr int kNobody = 24099;

    static void TearDownTestSuite() {
        lab().configure(kOther, "");
        const Ran started = lab().libvirtd_with_ours(kOther);
        EXPECT_TRUE(started.ok()) << started.output;
    }

    void restart_other() {
        const Ran started = lab().libvirtd(kOther, "restart", {"--timeout", "60"});
        ASSERT_TRUE(started.ok()) << started.output;
        reconnect(kOther);
    }

    // As after a boot, which empties /run: libvirt starts pools by itself only then.
    void boot_other() {
        const Ran stopped = lab().libvirtd(kOther, "stop");
        ASSERT_TRUE(stopped.ok()) << stopped.output;
        fs::remove_all(lab().path("STATE") + "/host" + std::to_string(kOther) + "/libvirt/storage");
        const Ran started =
            lab().libvirtd(kOther, "start", {"--install-root", lab().install_root()});
        ASSERT_TRUE(started.ok()) << started.output;
        reconnect(kOther);
    }

    PoolSpec with_hosts(std::vector<std::pair<std::string, int>> hosts) const {
        PoolSpec changed = spec();
        changed.name += "-hosts";
        changed.hosts = std::move(hosts);
        return changed;
    }

    // How many clients of gluster libvirtd has in it: each has a timer thread of its own.
    static int gluster_clients(int host) {
        const Ran found =
            shell("cat /proc/" + lab().path("LIBVIRTD_PID", host) + "/task/*/comm | grep -c timer");
        return std::atoi(found.output.c_str());
    }
};

template <typename Work>
double seconds_of(Work work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_F(PoolsTest, BuildMakesTheDirectoryAndStartServesIt) {
    PoolSpec deeper = spec();
    deeper.name += "-deeper";
    deeper.directory += "/one/two";
    auto built = define(deeper);
    ASSERT_TRUE(done(built));
    EXPECT_FALSE(exists("one"));

    ASSERT_TRUE(done(built->build()));
    EXPECT_TRUE(fs::is_directory(fuse("one/two")));
    ASSERT_TRUE(done(built->start()));
    ASSERT_TRUE(done(built->create(raw("a"))));
    EXPECT_TRUE(exists("one/two/a"));
    EXPECT_TRUE(done(built->refresh()));
    EXPECT_TRUE(built->lists("a"));
    EXPECT_TRUE(done(built->stop()));
    EXPECT_FALSE(built->is_active());
    EXPECT_TRUE(exists("one/two/a"));
    EXPECT_TRUE(done(built->start()));
    EXPECT_TRUE(built->lists("a"));
}

TEST_F(PoolsTest, BuildOfWhatIsThereChangesNothing) {
    ASSERT_TRUE(done(pool().create(raw("a"))));
    const auto before = on_brick();
    ASSERT_TRUE(done(pool().stop()));
    EXPECT_TRUE(done(pool().build()));
    EXPECT_EQ(on_brick(), before);
    EXPECT_TRUE(done(pool().start()));
}

TEST_F(PoolsTest, AMissingDirectoryIsAnErrorThatNamesTheCure) {
    PoolSpec missing = spec();
    missing.name += "-missing";
    missing.directory += "/nowhere";
    EXPECT_TRUE(refused(start(missing), VIR_ERR_OPERATION_FAILED, "pool-build"));
    EXPECT_FALSE(exists("nowhere"));
}

TEST_F(PoolsTest, AFileInThePlaceOfTheDirectoryIsRefused) {
    write_file("file", "x");
    PoolSpec wrong = spec();
    wrong.name += "-file";
    wrong.directory += "/file";
    auto defined = define(wrong);
    ASSERT_TRUE(done(defined));
    EXPECT_TRUE(refused(defined->build(), VIR_ERR_INVALID_ARG, "not a directory"));
    EXPECT_TRUE(refused(defined->start(), VIR_ERR_INVALID_ARG, "not a directory"));
}

TEST_F(PoolsTest, ADirectoryWithDotDotIsRefused) {
    PoolSpec up = spec();
    up.name += "-up";
    up.directory += "/../../etc";
    auto defined = define(up);
    if (!defined) return;  // by libvirt itself
    EXPECT_TRUE(refused(defined->build(), VIR_ERR_INVALID_ARG, "'..'"));
    EXPECT_TRUE(refused(defined->start(), VIR_ERR_INVALID_ARG, "'..'"));
}

TEST_F(PoolsTest, DeleteRemovesAnEmptyDirectoryOnly) {
    PoolSpec below = spec();
    below.name += "-below";
    below.directory += "/below";
    auto doomed = define(below);
    ASSERT_TRUE(done(doomed));
    ASSERT_TRUE(done(doomed->build()));
    write_file("below/a", "x");
    EXPECT_TRUE(refused(doomed->erase(), VIR_ERR_RESOURCE_BUSY, "not empty"));
    EXPECT_TRUE(exists("below/a"));
    fs::remove(fuse("below/a"));
    EXPECT_TRUE(done(doomed->erase()));
    EXPECT_FALSE(exists("below"));
    EXPECT_TRUE(done(doomed->undefine()));
    EXPECT_TRUE(refused(client().pool(below.name), VIR_ERR_NO_STORAGE_POOL));
}

TEST_F(PoolsTest, SpaceIsThatOfTheGlusterVolume) {
    ASSERT_TRUE(done(pool().refresh()));
    const auto info = pool().info();
    ASSERT_TRUE(done(info));
    struct statvfs status {};
    ASSERT_EQ(statvfs(fuse().c_str(), &status), 0);
    const double size = static_cast<double>(status.f_frsize);
    EXPECT_EQ(info->capacity, status.f_frsize * status.f_blocks);
    EXPECT_EQ(info->allocation + info->available, info->capacity);
    // Others write to this machine's disk meanwhile.
    EXPECT_NEAR(static_cast<double>(info->available), size * static_cast<double>(status.f_bavail),
                static_cast<double>(512 * kMiB));

    const XmlText xml(pool().xml());
    EXPECT_EQ(xml.number("/pool/capacity"), info->capacity);
    EXPECT_EQ(xml.number("/pool/allocation"), info->allocation);
    EXPECT_EQ(xml.number("/pool/available"), info->available);
}

TEST_F(PoolsTest, ARefreshSeesWhatOthersDid) {
    write_file("made/elsewhere", std::string(3000, 'x'));
    EXPECT_FALSE(pool().lists("made/elsewhere"));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), (std::vector<std::string>{"made", "made/elsewhere"}));
    fs::remove_all(fuse("made"));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume_names(), std::vector<std::string>{});
}

TEST_F(PoolsTest, ARefreshSeesThatAFileWasReplacedOrGrew) {
    ASSERT_TRUE(done(pool().create(qcow2("a", 3 * kGiB))));
    fs::remove(fuse("a"));
    write_file("a", std::string(5000, 'x'));
    ASSERT_TRUE(done(pool().refresh()));
    auto volume = pool().volume("a");
    ASSERT_TRUE(done(volume));
    EXPECT_EQ(volume->info()->capacity, 5000u);
    EXPECT_EQ(XmlText(*volume->xml()).at("//target/format/@type"), "raw");
    write_file("a", std::string(7000, 'x'));
    ASSERT_TRUE(done(pool().refresh()));
    EXPECT_EQ(pool().volume("a")->info()->capacity, 7000u);
}

TEST_F(PoolsTest, ARestartedLibvirtdFindsItsPoolsAgain) {
    ASSERT_TRUE(done(pool().create(qcow2("instances/u/vda"))));
    pool_on(kOther);
    // libvirt takes no two pools over one directory.
    PoolSpec idle = spec();
    idle.name += "-idle";
    idle.directory += "/instances/u";
    ASSERT_TRUE(done(define(idle, kOther)));

    restart_other();
    auto again = client(kOther).pool(pool_name());
    ASSERT_TRUE(done(again));
    EXPECT_TRUE(again->is_active());
    EXPECT_TRUE(again->lists("instances/u/vda"));
    EXPECT_TRUE(done(again->create(raw("b"))));
    EXPECT_FALSE(client(kOther).pool(idle.name)->is_active());
}

TEST_F(PoolsTest, AutostartIsKept) {
    ASSERT_TRUE(done(pool().create(qcow2("instances/u/vda"))));
    pool_on(kOther);
    PoolSpec automatic = spec();
    automatic.name += "-automatic";
    automatic.directory += "/instances";
    auto defined = define(automatic, kOther);
    ASSERT_TRUE(done(defined));
    ASSERT_TRUE(done(defined->set_autostart(true)));

    boot_other();
    EXPECT_FALSE(client(kOther).pool(pool_name())->is_active());
    auto started = client(kOther).pool(automatic.name);
    ASSERT_TRUE(done(started));
    EXPECT_TRUE(started->is_active());
    EXPECT_TRUE(started->lists("u/vda"));
}

TEST_F(PoolsTest, AKilledLibvirtdFindsItsPoolsAgain) {
    pool_on(kOther);
    ASSERT_TRUE(lab().libvirtd(kOther, "kill").ok());
    restart_other();
    auto again = client(kOther).pool(pool_name());
    ASSERT_TRUE(done(again));
    EXPECT_TRUE(again->is_active());
}

TEST_F(PoolsTest, ASilentFirstHostCostsLessThanFiveSeconds) {
    const double took = seconds_of([&] {
        auto started = start(with_hosts({{lab().silent_host(), 0}, {lab().gluster_host(), 0}}));
        ASSERT_TRUE(done(started));
        EXPECT_TRUE(done(started->create(raw("a"))));
    });
    EXPECT_LT(took, 5);
}

TEST_F(PoolsTest, ARefusingFirstHostCostsNothing) {
    const double took = seconds_of([&] {
        auto started =
            start(with_hosts({{lab().gluster_host(), kNobody}, {lab().gluster_host(), 0}}));
        ASSERT_TRUE(done(started));
        EXPECT_TRUE(done(started->create(raw("a"))));
    });
    EXPECT_LT(took, 2);
}

TEST_F(PoolsTest, PortsAreTaken) {
    EXPECT_TRUE(done(start(with_hosts({{lab().gluster_host(), 24007}}))));
    EXPECT_TRUE(refused(start(with_hosts({{lab().gluster_host(), kNobody}})), VIR_ERR_SYSTEM_ERROR,
                        std::to_string(kNobody)));
    EXPECT_TRUE(done(start(with_hosts({{lab().gluster_host(), kNobody}, {"node1", 24007}}))));
}

TEST_F(PoolsTest, AHostThatDoesNotAnswerIsNamed) {
    EXPECT_TRUE(refused(start(with_hosts({{"node1", kNobody}})), VIR_ERR_SYSTEM_ERROR,
                        "node1:" + std::to_string(kNobody)));
    EXPECT_TRUE(refused(start(with_hosts({{"no-such-host.invalid", 0}})), VIR_ERR_SYSTEM_ERROR,
                        "no-such-host.invalid"));
}

TEST_F(PoolsTest, ADeadGlusterHoldsUpTheStartOfLibvirtdForTheLimitOnly) {
    lab().configure(kOther, "[driver]\nconnect-timeout=2\n");
    auto dead = define(with_hosts({{lab().silent_host(), 0}}), kOther);
    ASSERT_TRUE(done(dead));
    ASSERT_TRUE(done(dead->set_autostart(true)));
    const std::string name = dead->name();
    pool_on(kOther);

    const double took = seconds_of([&] { boot_other(); });
    EXPECT_LT(took, 5);
    EXPECT_FALSE(client(kOther).pool(name)->is_active());
    const std::string said = lab().said_by_libvirtd(kOther);
    EXPECT_NE(said.find(name), std::string::npos) << said;
    EXPECT_NE(said.find(lab().silent_host()), std::string::npos) << said;
    // The limit also stands for the caller who starts it by hand.
    Refusal refusal;
    const double start_took = seconds_of([&] { refusal = client(kOther).pool(name)->start(); });
    EXPECT_TRUE(refused(refusal, VIR_ERR_SYSTEM_ERROR, lab().silent_host()));
    EXPECT_LT(start_took, 4);
    lab().configure(kOther, "");
}

TEST_F(PoolsTest, AConfigurationThatOthersCanWriteIsRefusedAndTheLimitIsTenSeconds) {
    lab().configure(kOther, "[driver]\nconnect-timeout=1\n", 0664);
    restart_other();
    Answer<Pool> started;
    const double took = seconds_of([&] {
        started = start(with_hosts({{lab().silent_host(), 0}}), kOther);
    });
    EXPECT_TRUE(refused(started, VIR_ERR_SYSTEM_ERROR, lab().silent_host()));
    // Hosts have half of it to answer.
    EXPECT_GT(took, 4);
    EXPECT_LT(took, 12);
    const std::string said = lab().said_by_libvirtd(kOther);
    EXPECT_NE(said.find("sf-gluster.conf"), std::string::npos) << said;
    lab().configure(kOther, "");
}

TEST_F(PoolsTest, AConfigurationWithNonsenseIsNamedInTheLog) {
    lab().configure(kOther, "[driver]\nconnect-timeout=soon\n");
    restart_other();
    pool_on(kOther);
    const std::string said = lab().said_by_libvirtd(kOther);
    EXPECT_NE(said.find("connect-timeout must be a whole number"), std::string::npos) << said;
    lab().configure(kOther, "");
}

TEST_F(PoolsTest, PoolsOfOneVolumeShareAConnection) {
    // In a libvirtd that has no clients left over from other tests, which take ten seconds to go.
    restart_other();
    pool_on(kOther);
    EXPECT_TRUE(comes_true([&] { return gluster_clients(kOther) == 1; }, seconds(20)))
        << gluster_clients(kOther);
    for (int i = 0; i < 3; ++i) {
        PoolSpec more = spec();
        more.name += "-" + std::to_string(i);
        more.directory += "/" + std::to_string(i);
        // The same volume by another name of its host, too.
        if (i == 2) more.hosts = {{"node1", 0}};
        auto one = define(more, kOther);
        ASSERT_TRUE(done(one));
        ASSERT_TRUE(done(one->build()));
        ASSERT_TRUE(done(one->start()));
        ASSERT_TRUE(done(one->refresh()));
    }
    // A connection that turned out to be to a known volume may take a moment to go.
    EXPECT_TRUE(comes_true([&] { return gluster_clients(kOther) == 1; }, seconds(20)))
        << gluster_clients(kOther);
}

TEST_F(PoolsTest, StoppingAndStartingIsQuick) {
    // A glfs_fini on the way would take ten seconds.
    const double took = seconds_of([&] {
        for (int i = 0; i < 10; ++i) {
            ASSERT_TRUE(done(pool().stop()));
            ASSERT_TRUE(done(pool().start()));
        }
    });
    EXPECT_LT(took, 5);
}

TEST_F(PoolsTest, SourcesAreFoundByHost) {
    const auto found = client().find_sources(
        "gluster", "<source><host name='" + lab().gluster_host() + "'/></source>");
    ASSERT_TRUE(done(found));
    const XmlText xml(*found);
    EXPECT_TRUE(xml.has("/sources/source[name='" + lab().volume() + "']/host[@name='" +
                        lab().gluster_host() + "']"))
        << *found;
    EXPECT_TRUE(refused(client().find_sources("gluster", ""), VIR_ERR_INVALID_ARG, "host"));
}

TEST_F(PoolsTest, AVolumeThatDoesNotExistIsNamed) {
    PoolSpec missing = spec();
    missing.name += "-missing";
    missing.volume = "nosuchvolume";
    EXPECT_TRUE(refused(start(missing), VIR_ERR_OPERATION_FAILED, "nosuchvolume"));
}

TEST_F(PoolsTest, AVolumeThatIsStoppedIsNamedAndServedOnceItRuns) {
    const std::string volume = lab().extra_volume("it-stopped", {});
    lab().gluster({"volume", "stop", volume, "force"});
    PoolSpec stopped = spec();
    stopped.name += "-stopped";
    stopped.volume = volume;
    stopped.directory = "/";
    auto defined = define(stopped);
    ASSERT_TRUE(done(defined));
    EXPECT_TRUE(refused(defined->start(), VIR_ERR_SYSTEM_ERROR, volume));
    EXPECT_FALSE(defined->is_active());
    ASSERT_TRUE(lab().gluster({"volume", "start", volume}).ok());
    EXPECT_TRUE(comes_true([&] { return defined->start().code == VIR_ERR_OK; }, seconds(20)));
    EXPECT_TRUE(done(defined->stop()));
    lab().gluster({"volume", "stop", volume, "force"});
}

}  // namespace sfg::test
