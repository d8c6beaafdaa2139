// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/parent.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <span>
#include <thread>
#include <utility>

#include "driver/core/log.hpp"

namespace sfg {
namespace {

constexpr std::size_t kLargestMessage = 64 * 1024;

// Before any call and so before any fork that matters: when the library is loaded.
const pid_t loader = getpid();

// Whether this process may have used gluster. Set before anything else.
std::atomic<bool> begun{false};

// The end that children write to, and the one that the thread reads from. The thread may not be
// there yet at a fork: what is written waits in the socket. A child closes its copy of the second,
// so that it hears of it where nobody reads any more.
std::atomic<int> children_end{-1};
std::atomic<int> parents_end{-1};
std::atomic<ParentService> parent_service{nullptr};

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

  private:
    int fd_;
};

// Ends of a socket on which messages stay whole; -1 where there is none to be had.
std::pair<Descriptor, Descriptor> connected_pair() {
    int ends[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) ends[0] = ends[1] = -1;
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// A message, and with it a descriptor to answer on.
struct Envelope {
    Envelope(void* bytes, std::size_t size) : part{bytes, size} {
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
    }
    iovec part;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
};

using Deadline = std::chrono::steady_clock::time_point;

bool send_with(int to, const std::string& text, int descriptor, Deadline deadline) {
    Envelope envelope(const_cast<char*>(text.data()), text.size());
    cmsghdr* const rights = CMSG_FIRSTHDR(&envelope.message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof(int));
    ssize_t sent;
    do {
        sent = sendmsg(to, &envelope.message, MSG_NOSIGNAL | MSG_DONTWAIT);
        // The socket is full of other children's.
        if (sent < 0 && errno == EAGAIN && std::chrono::steady_clock::now() < deadline) {
            pollfd polled{to, POLLOUT, 0};
            poll(&polled, 1, 100);
            errno = EINTR;
        }
    } while (sent < 0 && errno == EINTR);
    return sent == static_cast<ssize_t>(text.size());
}

// The length of what came into `buffer`, -1 for a failure; `descriptor` is what came along.
ssize_t receive_with(int from, std::span<char> buffer, int& descriptor) {
    Envelope envelope(buffer.data(), buffer.size());
    descriptor = -1;
    ssize_t got;
    do {
        got = recvmsg(from, &envelope.message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return got;
    const cmsghdr* const rights = CMSG_FIRSTHDR(&envelope.message);
    if (rights != nullptr && rights->cmsg_type == SCM_RIGHTS)
        std::memcpy(&descriptor, CMSG_DATA(rights), sizeof(int));
    return got;
}

// An answer: the kind, the errno, and the sentence; a kind of -1 where all went well.
struct AnswerHead {
    int kind = -1;
    int system_errno = 0;
};

std::string encoded(const Result<void>& answer) {
    AnswerHead head;
    std::string sentence;
    if (!answer) {
        head = {static_cast<int>(answer.error().kind()), answer.error().system_errno()};
        sentence = answer.error().message().substr(0, kLargestMessage / 2);
    }
    std::string text(sizeof(head), '\0');
    std::memcpy(text.data(), &head, sizeof(head));
    return text + sentence;
}

Result<void> decoded(std::span<const char> text) {
    AnswerHead head;
    if (text.size() < sizeof(head))
        return Error(ErrorKind::not_connected, ECONNRESET, "the parent process gave no answer");
    std::memcpy(&head, text.data(), sizeof(head));
    if (head.kind < 0) return {};
    return Error(static_cast<ErrorKind>(head.kind), head.system_errno,
                 std::string(text.begin() + sizeof(head), text.end()));
}

Result<void> served(const std::string& request) {
    try {
        return parent_service.load()(request);
    } catch (const std::exception& failure) {
        return Error(ErrorKind::io, ENOMEM, failure.what());
    }
}

// Nothing may leave a thread but by its end: an exception would end libvirtd. What is not answered
// is told to the child by the closing of `to`.
void answer(const std::string& request, const Descriptor& to) noexcept {
    try {
        const std::string text = encoded(served(request));
        send(to.get(), text.data(), text.size(), MSG_NOSIGNAL);
    } catch (const std::exception&) {
    }
}

void serve_next(int requests, std::string& buffer) {
    int reply = -1;
    const ssize_t got = receive_with(requests, buffer, reply);
    Descriptor to(reply);
    if (got < 0) {  // out of memory or descriptors, for a while
        log_warning("a child of libvirtd is not heard: " + errno_text(errno));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    if (got < 0 || reply < 0) return;
    std::thread([](const std::string& request, const Descriptor& with) { answer(request, with); },
                buffer.substr(0, static_cast<std::size_t>(got)), std::move(to))
        .detach();
}

void serve(int requests) noexcept {
    for (;;) {
        try {
            std::string buffer(kLargestMessage, '\0');
            for (;;) serve_next(requests, buffer);
        } catch (const std::exception&) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }
}

void start_service() {
    auto [mine, childrens] = connected_pair();
    int none = -1;
    if (childrens.get() < 0) {
        log_warning("children of libvirtd cannot be answered: " + errno_text(errno));
        return;
    }
    if (!children_end.compare_exchange_strong(none, childrens.get())) return;
    childrens.release();
    parents_end = mine.get();
    try {
        std::thread(serve, mine.get()).detach();
        mine.release();
    } catch (const std::exception& failure) {
        // `mine` is closed, so children hear of it when they write.
        parents_end = -1;
        log_warning(std::string("children of libvirtd cannot be answered: ") + failure.what());
    }
}

}  // namespace

void set_parent_service(ParentService service) {
    parent_service = service;
}

Process enter_process() {
    if (getpid() != loader) return begun ? Process::child : Process::whole;
    begun = true;
    if (children_end.load() < 0 && parent_service.load() != nullptr) start_service();
    return Process::whole;
}

Result<void> ask_parent(const std::string& request, std::chrono::milliseconds limit) {
    const Deadline deadline = std::chrono::steady_clock::now() + limit;
    if (request.size() > kLargestMessage)
        return Error(ErrorKind::invalid, EMSGSIZE, "the request is too long");
    // Only this process's copy.
    if (getpid() != loader) {
        const Descriptor closed(parents_end.exchange(-1));
    }
    auto [mine, parents] = connected_pair();
    if (mine.get() < 0) return Error::from_errno(errno, "cannot ask the parent process");
    if (!send_with(children_end.load(), request, parents.get(), deadline))
        return Error(ErrorKind::not_connected, ECONNRESET, "the parent process is not there");
    { const Descriptor closed = std::move(parents); }

    pollfd polled{mine.get(), POLLIN, 0};
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        const int ready = poll(&polled, 1, static_cast<int>(std::max<long>(0, left.count())));
        if (ready > 0) break;
        if (ready == 0 || errno != EINTR)
            return Error(
                ErrorKind::not_connected, ETIMEDOUT,
                "the parent process has not answered for " + std::to_string(limit.count()) + " ms");
    }
    std::string buffer(kLargestMessage, '\0');
    const ssize_t got = recv(mine.get(), buffer.data(), buffer.size(), 0);
    return decoded(std::span(buffer).first(static_cast<std::size_t>(std::max<ssize_t>(got, 0))));
}

}  // namespace sfg
