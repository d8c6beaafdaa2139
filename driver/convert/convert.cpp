// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/convert.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "driver/convert/check_job.hpp"
#include "driver/convert/helper_process.hpp"
#include "driver/convert/job_text.hpp"
#include "driver/convert/report.hpp"
#include "driver/core/log.hpp"

namespace sfg {
namespace {

using Clock = std::chrono::steady_clock;

// How long the kernel may take to end all that the helper has started.
constexpr std::chrono::seconds kEndPatience{30};

Error cancelled() {
    return Error(ErrorKind::io, ECANCELED, "the conversion was cancelled");
}

// The talk with the helper, from the job to the end of its words.
class Talk {
  public:
    Talk(int socket, std::string job, const ConvertProgress& progress)
        : socket_(socket), unsent_(std::move(job)), progress_(progress) {}

    bool ended() const { return ended_; }
    short events() const { return static_cast<short>(unsent_.empty() ? POLLIN : POLLIN | POLLOUT); }

    void send_more() {
        const ssize_t put =
            send(socket_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put > 0)
            unsent_.erase(0, static_cast<std::size_t>(put));
        else if (put < 0 && errno != EAGAIN && errno != EINTR)
            unsent_.clear();  // it has ended: what it said is read next
    }

    // Whether it said that something moved.
    bool receive_more() {
        std::array<char, 4096> buffer;
        const ssize_t got = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
        if (got <= 0) {
            // Its last words may have no newline.
            if (!line_.empty()) take(std::exchange(line_, {}));
            ended_ = true;
            return false;
        }
        bool moved = false;
        for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
            if (c == '\n')
                moved = take(std::exchange(line_, {})) || moved;
            else if (line_.size() < kLongestLine)
                line_ += c;
        }
        return moved;
    }

    // After its end.
    Result<void> verdict(int status) const {
        if (error_) return *error_;
        if (done_) return {};
        std::string how;
        if (status >= 0 && WIFSIGNALED(status))
            how = " by signal " + std::to_string(WTERMSIG(status));
        else if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) != 0)
            how = " with status " + std::to_string(WEXITSTATUS(status));
        return Error(ErrorKind::io, "the converter ended unexpectedly" + how +
                                        (stray_.empty() ? "" : ": " + escaped(stray_)));
    }
    bool done() const { return done_; }

  private:
    static constexpr std::size_t kLongestLine = 16384;

    bool take(const std::string& line) {
        const auto report = parse_report(line);
        if (!report) {
            // Not ours: the dynamic linker's, say.
            if (!line.empty()) stray_ = line;
            return false;
        }
        switch (report->what) {
            case Report::What::progress:
                if (report->percent > percent_) {
                    percent_ = report->percent;
                    if (progress_) progress_(percent_);
                    return true;
                }
                return false;
            case Report::What::alive:
                return true;
            case Report::What::error:
                error_ = report->error;
                return true;
            case Report::What::done:
                done_ = true;
                return true;
        }
        return false;
    }

    int socket_;
    std::string unsent_;
    const ConvertProgress& progress_;
    std::string line_;
    std::string stray_;
    double percent_ = -1;
    bool ended_ = false;
    bool done_ = false;
    std::optional<Error> error_;
};

// The job as the helper has it: with the numbers that its descriptors have there.
ConvertJob with_handed(ConvertJob job, std::vector<int>& handed) {
    for (auto* const nodes : {&job.source, &job.target.bases})
        for (auto& node : *nodes) {
            if (!node.file.descriptor) continue;
            handed.push_back(*node.file.descriptor);
            node.file.descriptor =
                HelperProcess::kFirstHanded + static_cast<int>(handed.size()) - 1;
        }
    return job;
}

}  // namespace

Result<void> convert_image(const ConvertJob& job, const ConvertProgress& progress,
                           std::stop_token stop, const ConvertTools& tools) {
    SFG_TRY(check_job(job));
    const Fd stopped(eventfd(0, EFD_CLOEXEC));
    if (!stopped.ok()) return Error::from_errno(errno, "cannot prepare a conversion");
    const std::stop_callback wake(stop, [&] { eventfd_write(stopped.get(), 1); });
    if (stop.stop_requested()) return cancelled();

    std::vector<int> handed;
    const ConvertJob its_job = with_handed(job, handed);
    SFG_TRY_ASSIGN(
        HelperProcess helper,
        HelperProcess::start(tools.helper.empty() ? default_helper() : tools.helper, handed));
    Talk talk(helper.socket(), job_text(its_job, tools), progress);
    auto deadline = Clock::now() + tools.stall_limit;
    std::optional<Error> given_up;
    while (!talk.ended()) {
        std::array<pollfd, 2> polled{pollfd{helper.socket(), talk.events(), 0},
                                     pollfd{given_up ? -1 : stopped.get(), POLLIN, 0}};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        const auto wait = std::clamp<std::int64_t>(left.count(), 0, 3'600'000);
        if (poll(polled.data(), polled.size(), static_cast<int>(wait)) < 0 && errno != EINTR)
            return Error::from_errno(errno, "cannot wait for the converter");

        if ((polled[0].revents & POLLOUT) != 0) talk.send_more();
        const bool moved =
            (polled[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && talk.receive_more();
        if (given_up) {
            if (Clock::now() >= deadline) break;
            continue;
        }
        if (moved) deadline = Clock::now() + tools.stall_limit;
        if (polled[1].revents != 0)
            given_up = cancelled();
        else if (Clock::now() >= deadline)
            given_up = Error(ErrorKind::not_connected, ETIMEDOUT,
                             "nothing has moved for " +
                                 std::to_string(std::chrono::duration_cast<std::chrono::seconds>(
                                                    tools.stall_limit)
                                                    .count()) +
                                 " s");
        if (given_up) {
            // Tells the helper to end; its end of the socket closes when all is gone.
            shutdown(helper.socket(), SHUT_WR);
            deadline = Clock::now() + kEndPatience;
        }
    }
    const int status = helper.end(talk.ended() ? std::chrono::seconds(5) : std::chrono::seconds(0));
    // A conversion that came to its end before it heard of the order is done.
    if (given_up && !talk.done()) return *given_up;
    return talk.verdict(status);
}

}  // namespace sfg
