// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/reach.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "driver/core/error.hpp"

namespace sfg {
namespace {

using Clock = std::chrono::steady_clock;
using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

std::string port_of(const Server& server) {
    return std::to_string(server.port != 0 ? server.port : kGlusterdPort);
}

// When all servers of a question were silent last.
class Silence {
  public:
    static Silence& instance() {
        static auto* const silence = new Silence;  // never destroyed: threads may outlive main
        return *silence;
    }
    bool is_recent(const std::vector<Server>& servers) {
        const std::lock_guard held(mutex_);
        return std::all_of(servers.begin(), servers.end(), [&](const Server& server) {
            const auto found = last_.find(server);
            return found != last_.end() && Clock::now() - found->second < kRecent;
        });
    }
    void note(const Reach& reach) {
        const std::lock_guard held(mutex_);
        std::erase_if(last_,
                      [](const auto& entry) { return Clock::now() - entry.second > kRecent; });
        for (const auto& server : reach.answering) last_.erase(server);
        for (const auto& server : reach.silent) last_[server] = Clock::now();
    }

  private:
    static constexpr std::chrono::seconds kRecent{30};
    std::mutex mutex_;
    std::map<Server, Clock::time_point> last_;
};

// What name look-ups have found, each on a thread that may outlive the question: DNS has time
// limits of its own. The eventfd tells of a new answer.
struct Lookups {
    struct Answer {
        std::size_t server;
        int failure;
        Addresses addresses;
    };

    Lookups() : event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    ~Lookups() { close(event); }
    Lookups(const Lookups&) = delete;
    Lookups& operator=(const Lookups&) = delete;

    std::vector<Answer> take() {
        eventfd_t count;
        eventfd_read(event, &count);
        const std::lock_guard held(mutex);
        return std::exchange(answers, {});
    }

    const int event;
    std::mutex mutex;
    std::vector<Answer> answers;
};

Lookups::Answer look_up(const Server& server, std::size_t index, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | flags;
    addrinfo* found = nullptr;
    const int failure = getaddrinfo(server.host.c_str(), port_of(server).c_str(), &hints, &found);
    return {index, failure, Addresses(failure == 0 ? found : nullptr, &freeaddrinfo)};
}

// The question: connections being made to the servers' addresses.
class Question {
  public:
    explicit Question(const std::vector<Server>& servers)
        : servers_(servers), states_(servers.size()), lookups_(std::make_shared<Lookups>()) {}
    ~Question() {
        for (const auto& trial : trials_) close(trial.fd);
    }
    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;

    void ask() {
        for (std::size_t i = 0; i < servers_.size(); ++i) {
            if (servers_[i].is_local()) {
                start_local(i);
                continue;
            }
            auto numeric = look_up(servers_[i], i, AI_NUMERICHOST);
            if (numeric.failure == 0) {
                start(std::move(numeric));
                continue;
            }
            ++open_lookups_;
            std::thread([lookups = lookups_, server = servers_[i], i] {
                auto answer = look_up(server, i, 0);
                {
                    const std::lock_guard held(lookups->mutex);
                    lookups->answers.push_back(std::move(answer));
                }
                eventfd_write(lookups->event, 1);
            }).detach();
        }
    }

    void wait(std::chrono::milliseconds limit) {
        // Once one server has answered, slower ones get a moment more and no longer.
        constexpr std::chrono::milliseconds kGrace{200};
        auto until = Clock::now() + limit;
        bool answered = false;
        while (!trials_.empty() || open_lookups_ > 0) {
            if (!answered && std::any_of(states_.begin(), states_.end(),
                                         [](const State& state) { return state.answered; })) {
                answered = true;
                until = std::min(until, Clock::now() + kGrace);
            }
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
            if (left.count() <= 0) return;
            poll_once(left);
        }
    }

    Reach answer() const {
        Reach reach;
        for (std::size_t i = 0; i < servers_.size(); ++i) {
            if (states_[i].answered) {
                reach.answering.push_back(servers_[i]);
                continue;
            }
            reach.silent.push_back(servers_[i]);
            if (!reach.refusals.empty()) reach.refusals += "; ";
            reach.refusals += servers_[i].name() +
                              (servers_[i].is_local() ? "" : ":" + port_of(servers_[i])) + ": " +
                              states_[i].reason;
        }
        return reach;
    }

  private:
    struct Trial {
        std::size_t server;
        int fd;
    };
    struct State {
        bool answered = false;
        std::string reason = "no answer";
    };

    void start(const Lookups::Answer& answer) {
        State& state = states_[answer.server];
        if (answer.failure != 0) state.reason = gai_strerror(answer.failure);
        for (const addrinfo* at = answer.addresses.get(); at != nullptr; at = at->ai_next) {
            const int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            if (fd < 0) {
                state.reason = errno_text(errno);
                continue;
            }
            const bool connected = connect(fd, at->ai_addr, at->ai_addrlen) == 0;
            if (!connected && errno == EINPROGRESS) {
                trials_.push_back({answer.server, fd});
                continue;
            }
            if (connected)
                state.answered = true;
            else
                state.reason = errno_text(errno);
            close(fd);
        }
    }

    // A Unix socket says yes or no at once.
    void start_local(std::size_t server) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string& path = servers_[server].socket;
        if (path.size() >= sizeof(address.sun_path)) {
            states_[server].reason = errno_text(ENAMETOOLONG);
            return;
        }
        path.copy(address.sun_path, path.size());
        const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0)
            states_[server].answered = true;
        else
            states_[server].reason = errno_text(errno);
        if (fd >= 0) close(fd);
    }

    void finish(const Trial& trial) {
        int error = 0;
        socklen_t size = sizeof(error);
        if (getsockopt(trial.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
        if (error == 0)
            states_[trial.server].answered = true;
        else
            states_[trial.server].reason = errno_text(error);
        close(trial.fd);
    }

    void poll_once(std::chrono::milliseconds left) {
        std::vector<pollfd> polled{{lookups_->event, POLLIN, 0}};
        for (const auto& trial : trials_) polled.push_back({trial.fd, POLLOUT, 0});
        if (poll(polled.data(), polled.size(), static_cast<int>(left.count())) <= 0) return;
        std::vector<Trial> open;
        for (std::size_t i = 0; i < trials_.size(); ++i) {
            if (polled[i + 1].revents != 0)
                finish(trials_[i]);
            else
                open.push_back(trials_[i]);
        }
        trials_.swap(open);
        if (polled[0].revents == 0) return;
        for (const auto& answer : lookups_->take()) {
            --open_lookups_;
            start(answer);
        }
    }

    const std::vector<Server>& servers_;
    std::vector<State> states_;
    std::vector<Trial> trials_;
    std::shared_ptr<Lookups> lookups_;
    std::size_t open_lookups_ = 0;
};

}  // namespace

Reach reachable(const std::vector<Server>& servers, std::chrono::milliseconds limit) {
    constexpr std::chrono::milliseconds kAfterSilence{500};
    if (Silence::instance().is_recent(servers)) limit = std::min(limit, kAfterSilence);
    Question question(servers);
    question.ask();
    question.wait(limit);
    Reach reach = question.answer();
    Silence::instance().note(reach);
    return reach;
}

}  // namespace sfg
