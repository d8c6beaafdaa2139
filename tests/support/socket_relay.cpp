// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/socket_relay.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

namespace sfg::test {
namespace {

constexpr int kTick = 20;  // milliseconds between looks at whether to stop

// What is there to be read goes to the other side; false at the end.
bool pass(int from, int to) {
    std::array<char, 65536> buffer;
    const ssize_t got = recv(from, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    for (ssize_t done = 0; done < got;) {
        const ssize_t put =
            send(to, buffer.data() + done, static_cast<std::size_t>(got - done), MSG_NOSIGNAL);
        if (put <= 0) return false;
        done += put;
    }
    return true;
}

}  // namespace

SocketRelay::SocketRelay(std::string path, const std::string& host, int port)
    : path_(std::move(path)), host_(host), port_(port) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    unlink(path_.c_str());
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ready_ = bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
             chmod(path_.c_str(), 0777) == 0 && listen(fd_, 8) == 0;
    server_ = std::thread([this] { serve(); });
}

SocketRelay::~SocketRelay() {
    stop_ = true;
    server_.join();
    for (auto& carrier : carriers_) carrier.join();
    close(fd_);
    unlink(path_.c_str());
}

void SocketRelay::serve() {
    while (!stop_) {
        pollfd polled{fd_, POLLIN, 0};
        if (poll(&polled, 1, kTick) <= 0) continue;
        const int client = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        ++connections_;
        carriers_.emplace_back([this, client] { carry(client); });
    }
}

int SocketRelay::connect_behind() const {
    sockaddr_in inet{};
    inet.sin_family = AF_INET;
    inet.sin_port = htons(static_cast<std::uint16_t>(port_));
    inet_pton(AF_INET, host_.c_str(), &inet.sin_addr);
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    host_.copy(local.sun_path, sizeof(local.sun_path) - 1);
    const bool is_local = port_ == 0;
    const int server = socket(is_local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto* const address = is_local ? reinterpret_cast<const sockaddr*>(&local)
                                         : reinterpret_cast<const sockaddr*>(&inet);
    if (connect(server, address, is_local ? sizeof(local) : sizeof(inet)) == 0) return server;
    close(server);
    return -1;
}

void SocketRelay::carry(int client) {
    const int server = connect_behind();
    bool open = server >= 0;
    while (open && !stop_) {
        std::array<pollfd, 2> polled{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
        if (poll(polled.data(), polled.size(), kTick) <= 0) continue;
        if (polled[0].revents != 0) open = pass(client, server);
        if (open && polled[1].revents != 0) open = pass(server, client);
    }
    if (server >= 0) close(server);
    close(client);
}

}  // namespace sfg::test
