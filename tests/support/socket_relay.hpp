// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace sfg::test {

// A Unix socket, open to everybody, behind which is a TCP port, or with a path for the host and
// port 0 another Unix socket: glusterd's own is in its node's namespace, and root's.
class SocketRelay {
  public:
    SocketRelay(std::string path, const std::string& host, int port);
    ~SocketRelay();
    SocketRelay(const SocketRelay&) = delete;
    SocketRelay& operator=(const SocketRelay&) = delete;

    bool ready() const { return ready_; }
    int connections() const { return connections_; }

  private:
    void serve();
    void carry(int client);
    int connect_behind() const;

    const std::string path_;
    const std::string host_;
    const int port_;
    int fd_ = -1;
    bool ready_ = false;
    std::atomic<bool> stop_ = false;
    std::atomic<int> connections_ = 0;
    std::thread server_;
    std::vector<std::thread> carriers_;
};

}  // namespace sfg::test
