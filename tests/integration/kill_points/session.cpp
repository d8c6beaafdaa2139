// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/kill_points/session.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "tests/support/lab.hpp"

namespace sfg::test {
namespace {

constexpr int kPatienceMs = 60'000;

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();  // a thread's file may vanish while it is read
    return std::move(text).str();
}

struct Pipe {
    int read_end = -1;
    int write_end = -1;

    Pipe() {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0) throw std::runtime_error("no pipe");
        read_end = ends[0];
        write_end = ends[1];
    }
};

}  // namespace

std::optional<ListedVolume> Outcome::find(const std::string& name) const {
    const auto found = std::find_if(volumes.begin(), volumes.end(),
                                    [&](const auto& volume) { return volume.name == name; });
    if (found == volumes.end()) return std::nullopt;
    return *found;
}

Session::Session(const std::string& directory) {
    static std::atomic<int> counter{0};
    // A client that dies takes its end of the pipe with it.
    signal(SIGPIPE, SIG_IGN);
    Lab& lab = Lab::instance();
    error_file_ = lab.scratch() + "/session-" + std::to_string(counter++) + ".stderr";
    const Pipe to, from;
    const std::string host = lab.gluster_host(), volume = lab.volume();
    const char* const words[] = {SFG_CONTRACT_CLIENT, host.c_str(), volume.c_str(),
                                 directory.c_str(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to.read_end, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from.write_end, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, error_file_.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int failed = posix_spawn(&process_, words[0], &actions, nullptr,
                                   const_cast<char* const*>(words), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(to.read_end);
    close(from.write_end);
    to_ = to.write_end;
    from_ = from.read_end;
    if (failed != 0) throw std::runtime_error(std::string("cannot start ") + words[0]);
}

Session::~Session() {
    close(to_);
    if (process_ > 0) {
        int status;
        if (waitpid(process_, &status, WNOHANG) == 0) {
            // At the end of its input it leaves, unless it hangs.
            pollfd closed{from_, POLLIN, 0};
            poll(&closed, 1, kPatienceMs);
            kill(process_, SIGKILL);
            waitpid(process_, &status, 0);
        }
    }
    close(from_);
    unlink(error_file_.c_str());
}

// Empty: the process has ended, or does not answer.
std::optional<std::string> Session::read_line() {
    while (true) {
        const auto line_end = unread_.find('\n');
        if (line_end != std::string::npos) {
            std::string line = unread_.substr(0, line_end);
            unread_.erase(0, line_end + 1);
            return line;
        }
        pollfd readable{from_, POLLIN, 0};
        if (poll(&readable, 1, kPatienceMs) <= 0) {
            kill(process_, SIGABRT);
            return std::nullopt;
        }
        char buffer[4096];
        const ssize_t got = read(from_, buffer, sizeof(buffer));
        if (got <= 0) return std::nullopt;
        unread_.append(buffer, static_cast<std::size_t>(got));
    }
}

// How the process ended, with its last words.
std::string Session::end() {
    if (process_ <= 0) return "the process has ended before";
    int status = 0;
    waitpid(process_, &status, 0);
    process_ = -1;
    killed_ = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    const std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                                : "status " + std::to_string(WEXITSTATUS(status));
    return "ended with " + how + ": " + text_of(error_file_);
}

Outcome Session::request(const std::string& line) {
    begin(line);
    return finish();
}

// One that has ended is found so by finish().
void Session::begin(const std::string& line) {
    const std::string whole = line + "\n";
    [[maybe_unused]] const auto written = write(to_, whole.data(), whole.size());
}

// Whether one of the process's threads is held (GFAPI_HOLD).
bool Session::is_held() const {
    std::error_code error;
    const auto tasks = "/proc/" + std::to_string(process_) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks, error))
        if (text_of(task.path() / "comm") == "held\n") return true;
    return false;
}

bool Session::stops() {
    for (int waited = 0; waited < kPatienceMs; ++waited) {
        const std::string text = text_of("/proc/" + std::to_string(process_) + "/stat");
        // "PID (NAME) STATE ..." (proc(5))
        const auto name_end = text.rfind(") ");
        if (name_end != std::string::npos && text[name_end + 2] == 'T') return true;
        if (is_held()) return true;
        pollfd readable{from_, POLLIN, 0};
        if (poll(&readable, 1, 1) > 0) return false;
    }
    return false;
}

void Session::go_on() {
    kill(process_, is_held() ? SIGUSR1 : SIGCONT);
}

Outcome Session::finish() {
    Outcome outcome;
    while (auto answer = read_line()) {
        std::istringstream words(*answer);
        std::string first;
        words >> first;
        if (first == "volume") {
            ListedVolume volume;
            words >> volume.name >> volume.format >> volume.capacity >> volume.backing;
            outcome.volumes.push_back(std::move(volume));
            continue;
        }
        outcome.ok = first == "ok";
        std::getline(words >> std::ws, outcome.message);
        return outcome;
    }
    outcome.message = end();
    return outcome;
}

void Session::plan(gfapi_fault fault, long at, int error) {
    request("plan " + std::to_string(fault) + ' ' + std::to_string(at) + ' ' +
            std::to_string(error));
}

Session::Met Session::met() {
    std::istringstream words(request("met").message);
    Met met;
    words >> met.calls >> met.name;
    return met;
}

}  // namespace sfg::test
