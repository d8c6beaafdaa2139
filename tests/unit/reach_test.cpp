// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/reach.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sfg {
namespace {

using std::chrono::seconds;

TEST(Reach, TellsWhoAnswersByTcpAndWhyOthersDoNot) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(listen(listener, 4), 0);
    ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    const Server there{"127.0.0.1", ntohs(address.sin_port)};
    const Reach reach = reachable({{"127.0.0.1", 1}, there}, seconds(5));
    EXPECT_EQ(reach.answering, std::vector<Server>{there});
    EXPECT_EQ(reach.refusals, "127.0.0.1:1: Connection refused");
    close(listener);
}

TEST(Reach, TellsOfSocketsOfThisHost) {
    const std::string path = "/tmp/sf-gluster-reach-" + std::to_string(getpid());
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(listen(listener, 4), 0);
    const Server there{"", 0, path}, nowhere{"", 0, path + ".not"},
        too_long{"", 0, "/" + std::string(200, 'x')};
    const Reach reach = reachable({nowhere, too_long, there}, seconds(5));
    EXPECT_EQ(reach.answering, std::vector<Server>{there});
    EXPECT_EQ(reach.refusals, path + ".not: No such file or directory; /" + std::string(200, 'x') +
                                  ": File name too long");
    close(listener);
    unlink(path.c_str());
}

}  // namespace
}  // namespace sfg
