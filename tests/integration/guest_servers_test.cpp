// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whom a guest's image may lead libvirtd to. A gluster client runs what a volume file says, so a
// server that only an image names is not connected to.
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/support/guest_fixture.hpp"

namespace sfg::test {
namespace {

// A stranger's machine: accepts connections and counts them.
constexpr char kStranger[] = "127.66.6.7";

class Listener {
  public:
    Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(24007);
        inet_pton(AF_INET, kStranger, &address.sin_addr);
        const int yes = 1;
        setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        ready_ = bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
                 listen(fd_, 8) == 0;
        thread_ = std::thread([this] { count(); });
    }
    ~Listener() {
        stop_ = true;
        thread_.join();
        close(fd_);
    }
    bool ready() const { return ready_; }
    int connections() const { return connections_; }

  private:
    void count() {
        while (!stop_) {
            pollfd polled{fd_, POLLIN, 0};
            if (poll(&polled, 1, 20) <= 0) continue;
            const int client = accept(fd_, nullptr, nullptr);
            if (client < 0) continue;
            ++connections_;
            close(client);
        }
    }

    int fd_;
    bool ready_ = false;
    std::atomic<bool> stop_ = false;
    std::atomic<int> connections_ = 0;
    std::thread thread_;
};

class GuestServersTest : public GuestTest {
  protected:
    void SetUp() override {
        GuestTest::SetUp();
        ASSERT_TRUE(stranger_.ready());
        ASSERT_TRUE(done(pool().create(qcow2("base", 64 * kMiB))));
    }
    void TearDown() override {
        if (configured_) {
            lab().configure(1, "");
            EXPECT_TRUE(lab().libvirtd(1, "restart").ok());
            reconnect(1);
        }
        GuestTest::TearDown();
    }
    void configure(const std::string& text) {
        configured_ = true;
        lab().configure(1, text);
        ASSERT_TRUE(lab().libvirtd(1, "restart").ok());
        reconnect(1);
        ASSERT_TRUE(done(client().pool(pool_name())));
    }

    // Starts a guest on an image with that base.
    Refusal start_over(const std::string& base) {
        make_overlay("disk", base);
        return run({on_gluster("disk")}).refusal;
    }
    std::string json(const std::vector<std::string>& hosts) const {
        std::string servers;
        for (const auto& host : hosts)
            servers += std::string(servers.empty() ? "" : ",") + R"({"type":"inet","host":")" +
                       host + R"(","port":"24007"})";
        return R"(json:{"driver":"gluster","volume":")" + lab().volume() + R"(","path":")" +
               in_volume("base") + R"(","server":[)" + servers + "]}";
    }

    Listener stranger_;

  private:
    bool configured_ = false;
};

}  // namespace

TEST_F(GuestServersTest, AStrangersServerInAUriIsNotConnectedTo) {
    EXPECT_TRUE(refused(start_over("gluster://" + std::string(kStranger) + "/" + shown("base")),
                        VIR_ERR_OPERATION_FAILED, "named by an image's header only"));
    EXPECT_EQ(stranger_.connections(), 0);
}

TEST_F(GuestServersTest, NorBesideOneThatIsKnown) {
    EXPECT_TRUE(refused(start_over(json({kStranger, lab().gluster_host()})),
                        VIR_ERR_OPERATION_FAILED, kStranger));
    EXPECT_TRUE(refused(start_over(json({lab().gluster_host(), kStranger})),
                        VIR_ERR_OPERATION_FAILED, kStranger));
    EXPECT_EQ(stranger_.connections(), 0);
}

// Not even a known server's: it has other volume files too, such as that of a single brick.
TEST_F(GuestServersTest, NorAreVolumesThatNobodyNamed) {
    for (const std::string& volume :
         {std::string("elsewhere"), lab().volume() + "." + lab().gluster_host() + ".brick",
          std::string("../") + lab().volume()}) {
        const Refusal refusal = start_over(R"(json:{"driver":"gluster","volume":")" + volume +
                                           R"(","path":"x","server":[{"type":"inet","host":")" +
                                           lab().gluster_host() + R"(","port":"24007"}]})");
        EXPECT_NE(refusal.code, VIR_ERR_OK) << volume;
        EXPECT_TRUE(refusal.message.find("named by an image's header only") != std::string::npos ||
                    refusal.message.find("no gluster volume of such a name") != std::string::npos)
            << refusal.message;
    }
}

TEST_F(GuestServersTest, NorIsASocketOfThisHost) {
    EXPECT_TRUE(refused(start_over("gluster+unix:///" + shown("base") + "?socket=/srv/evil.sock"),
                        VIR_ERR_OPERATION_FAILED, "/srv/evil.sock"));
}

TEST_F(GuestServersTest, NorFromAnImageBelow) {
    make_overlay("middle", "gluster://" + std::string(kStranger) + "/" + shown("base"));
    EXPECT_TRUE(refused(start_over("middle"), VIR_ERR_OPERATION_FAILED, kStranger));
    EXPECT_EQ(stranger_.connections(), 0);
}

TEST_F(GuestServersTest, AServerOfTheGuestsDefinitionIsKnown) {
    // No pool needed.
    ASSERT_TRUE(done(pool().stop()));
    EXPECT_TRUE(done(start_over("gluster://" + lab().gluster_host() + "/" + shown("base"))));
}

// So that the above would be seen to fail: the configuration may name him, and then he is asked.
TEST_F(GuestServersTest, AServerOfTheConfigurationIsConnectedTo) {
    configure("[driver]\ntrusted-servers=" + std::string(kStranger) + "\nconnect-timeout=3\n");
    const Refusal refusal = start_over("gluster://" + std::string(kStranger) + "/" + shown("base"));
    EXPECT_NE(refusal.code, VIR_ERR_OK);
    EXPECT_EQ(refusal.message.find("header only"), std::string::npos) << refusal.message;
    EXPECT_GT(stranger_.connections(), 0);
}

}  // namespace sfg::test
