// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "driver/transfer/transfer.hpp"
#include "tests/unit/noise.hpp"

// A transfer seen from libvirt's side: its event loop polls the descriptor and calls in without
// waiting.
namespace sfg::test {

using Bytes = std::vector<std::byte>;

inline Bytes part_of(const Bytes& bytes, std::size_t begin, std::size_t end) {
    return Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                 bytes.begin() + static_cast<std::ptrdiff_t>(end));
}

// Compares without printing megabytes.
inline testing::AssertionResult same(const Bytes& found, const Bytes& wanted) {
    if (found == wanted) return testing::AssertionSuccess();
    const auto at = std::mismatch(found.begin(), found.end(), wanted.begin(), wanted.end());
    return testing::AssertionFailure()
           << found.size() << " bytes for " << wanted.size()
           << ", the first that differs is number " << at.first - found.begin();
}

class TransferClient {
  public:
    explicit TransferClient(std::shared_ptr<Transfer> transfer) : transfer_(std::move(transfer)) {
        auto opened = transfer_->descriptor();
        EXPECT_TRUE(opened);
        if (opened) descriptor_ = *opened;
    }
    // libvirt aborts a stream that nobody finishes.
    ~TransferClient() {
        if (!ended_) transfer_->abort();
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    TransferClient(const TransferClient&) = delete;
    TransferClient& operator=(const TransferClient&) = delete;

    Transfer& transfer() { return *transfer_; }
    int descriptor() const { return descriptor_; }

    // The end: the client's hold of the transfer goes with it.
    Result<void> finish() {
        ended_ = true;
        return std::exchange(transfer_, nullptr)->finish();
    }
    void abort() {
        ended_ = true;
        std::exchange(transfer_, nullptr)->abort();
    }

    bool is_ready(short events, int milliseconds = 0) const {
        pollfd watched{descriptor_, events, 0};
        return ::poll(&watched, 1, milliseconds) == 1 && (watched.revents & events) != 0;
    }
    bool wait_for(short events) const { return is_ready(events, 10'000); }

    struct Received {
        Bytes bytes;
        std::optional<Error> error;
    };

    // All there is, `most` bytes a call.
    Received receive_all(std::size_t most) {
        Received received;
        Bytes buffer(most);
        while (true) {
            if (!wait_for(POLLIN)) {
                received.error = Error(ErrorKind::not_connected, "nothing comes");
                return received;
            }
            const auto got = transfer_->receive(buffer, false);
            if (!got) {
                received.error = got.error();
                return received;
            }
            if (!*got) {
                // Or an event loop would turn for ever.
                ADD_FAILURE() << "readable, and yet there was nothing";
                received.error = Error(ErrorKind::io, "nothing there");
                return received;
            }
            if (**got == 0) return received;
            received.bytes.insert(received.bytes.end(), buffer.begin(),
                                  buffer.begin() + static_cast<std::ptrdiff_t>(**got));
        }
    }

    // As daemonStreamHandleRead in libvirt's remote_daemon_stream.c: asks what comes next, then
    // takes data or tells of a hole. The sections as they were told are added to `sections`.
    Received receive_sparsely(std::size_t most, std::vector<Transfer::Section>& sections) {
        Received received;
        while (true) {
            if (!wait_for(POLLIN)) {
                received.error = Error(ErrorKind::not_connected, "nothing comes");
                return received;
            }
            const auto next = transfer_->next_section();
            if (!next) {
                received.error = next.error();
                return received;
            }
            if (next->length == 0) return received;
            sections.push_back(*next);
            if (!next->data) {
                EXPECT_TRUE(transfer_->hole(next->length));
                received.bytes.resize(received.bytes.size() +
                                      static_cast<std::size_t>(next->length));
                continue;
            }
            Bytes buffer(static_cast<std::size_t>(std::min<std::uint64_t>(most, next->length)));
            const auto got = transfer_->receive(buffer, false);
            if (!got || !*got || **got == 0) {
                ADD_FAILURE() << "data was told that is not there";
                return received;
            }
            received.bytes.insert(received.bytes.end(), buffer.begin(),
                                  buffer.begin() + static_cast<std::ptrdiff_t>(**got));
        }
    }

    // All of `bytes`, `most` a call; the error where there is one.
    std::optional<Error> send_all(std::span<const std::byte> bytes, std::size_t most) {
        while (!bytes.empty()) {
            if (!wait_for(POLLOUT)) return Error(ErrorKind::not_connected, "nothing is taken");
            const auto sent = transfer_->send(bytes.first(std::min(most, bytes.size())), false);
            if (!sent) return sent.error();
            if (!*sent || **sent == 0) {
                ADD_FAILURE() << "writable, and yet nothing was taken";
                return Error(ErrorKind::io, "nothing taken");
            }
            bytes = bytes.subspan(**sent);
        }
        return std::nullopt;
    }

    // What is taken without waiting.
    std::size_t send_what_fits(std::span<const std::byte> bytes) {
        std::size_t taken = 0;
        while (taken < bytes.size()) {
            const auto sent = transfer_->send(bytes.subspan(taken), false);
            if (!sent || !*sent) break;
            taken += **sent;
        }
        return taken;
    }

  private:
    std::shared_ptr<Transfer> transfer_;
    int descriptor_ = -1;
    bool ended_ = false;
};

// Whether it comes true within ten seconds.
template <typename Question>
bool comes_true(Question question) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!question()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        ::usleep(1000);
    }
    return true;
}

}  // namespace sfg::test
