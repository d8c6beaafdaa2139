// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/libvirt/streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "driver/transfer/stream_gate.hpp"

namespace sfg {

Streams& Streams::instance() {
    static auto* const streams = new Streams;  // never destroyed: threads may outlive main
    return *streams;
}

Result<void> Streams::add(const void* stream, std::shared_ptr<Transfer> transfer, int& descriptor) {
    {
        const std::lock_guard held(mutex_);
        if (broken_ < 0) {
            const auto broken = open_broken_descriptor();
            if (!broken) {
                transfer->abort();
                return broken.error();
            }
            broken_ = *broken;
        }
    }
    auto opened = transfer->descriptor();
    if (!opened) {
        transfer->abort();
        return opened.error();
    }
    descriptor = *opened;
    // A client that frees a stream without ending it leaves its address to the next one.
    if (const auto forgotten = take(stream)) forgotten->abort();
    const std::lock_guard held(mutex_);
    running_.insert_or_assign(stream, Running{std::move(transfer), descriptor});
    return {};
}

Result<std::shared_ptr<Transfer>> Streams::find(const void* stream) {
    const std::lock_guard held(mutex_);
    const auto found = running_.find(stream);
    if (found == running_.end()) return Error(ErrorKind::invalid, EBADF, "the stream is closed");
    return found->second.transfer;
}

std::shared_ptr<Transfer> Streams::take(const void* stream) {
    const std::lock_guard held(mutex_);
    const auto found = running_.find(stream);
    if (found == running_.end()) return nullptr;
    auto transfer = std::move(found->second.transfer);
    running_.erase(found);
    return transfer;
}

void Streams::alarm(const void* stream) {
    const std::lock_guard held(mutex_);
    const auto found = running_.find(stream);
    if (found != running_.end()) ::dup3(broken_, found->second.descriptor, O_CLOEXEC);
}

}  // namespace sfg
