// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/reach.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "driver/core/error.hpp"

namespace sfg {
namespace {

using Clock = std::chrono::steady_clock;

// One TCP connection being made to one address of one server.
struct Trial {
    std::size_t server;
    int fd;
};

struct ServerState {
    bool answered = false;
    std::string reason = "no answer";
};

void start_trials(const Server& server, std::size_t index, ServerState& state,
                  std::vector<Trial>& trials) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(server.port != 0 ? server.port : kGlusterdPort);
    const int failed = getaddrinfo(server.host.c_str(), port.c_str(), &hints, &found);
    if (failed != 0) {
        state.reason = gai_strerror(failed);
        return;
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        const int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) {
            state.reason = errno_text(errno);
            continue;
        }
        if (connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
            state.answered = true;
            close(fd);
            return;
        }
        if (errno == EINPROGRESS) {
            trials.push_back({index, fd});
        } else {
            state.reason = errno_text(errno);
            close(fd);
        }
    }
}

void finish_trial(const Trial& trial, ServerState& state) {
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(trial.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
    if (error == 0)
        state.answered = true;
    else
        state.reason = errno_text(error);
    close(trial.fd);
}

}  // namespace

Reach reachable(const std::vector<Server>& servers, std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    std::vector<ServerState> states(servers.size());
    std::vector<Trial> trials;
    for (std::size_t i = 0; i < servers.size(); ++i) start_trials(servers[i], i, states[i], trials);

    // Once one server has answered, slower ones get a moment more and no longer: a pool whose
    // first host is down must not wait for it.
    constexpr std::chrono::milliseconds kGrace{200};
    auto until = deadline;
    while (!trials.empty()) {
        for (const auto& state : states)
            if (state.answered) until = std::min(until, Clock::now() + kGrace);
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        if (left <= 0) break;
        std::vector<pollfd> polled;
        polled.reserve(trials.size());
        for (const auto& trial : trials) polled.push_back({trial.fd, POLLOUT, 0});
        const int ready = poll(polled.data(), polled.size(), static_cast<int>(left));
        if (ready < 0 && errno != EINTR) break;
        std::vector<Trial> open;
        for (std::size_t i = 0; i < trials.size(); ++i) {
            if (ready > 0 && polled[i].revents != 0)
                finish_trial(trials[i], states[trials[i].server]);
            else
                open.push_back(trials[i]);
        }
        trials.swap(open);
    }
    for (const auto& trial : trials) close(trial.fd);

    Reach reach;
    for (std::size_t i = 0; i < servers.size(); ++i) {
        const int port = servers[i].port != 0 ? servers[i].port : kGlusterdPort;
        if (states[i].answered) {
            reach.answering.push_back(servers[i]);
        } else {
            if (!reach.refusals.empty()) reach.refusals += "; ";
            reach.refusals +=
                servers[i].host + ":" + std::to_string(port) + ": " + states[i].reason;
        }
    }
    return reach;
}

}  // namespace sfg
