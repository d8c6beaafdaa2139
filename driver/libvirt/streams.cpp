// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/libvirt/streams.hpp"

#include <cerrno>

namespace sfg {

Streams& Streams::instance() {
    static auto* const streams = new Streams;  // never destroyed: threads may outlive main
    return *streams;
}

Result<void> Streams::add(const void* stream, std::shared_ptr<Transfer> transfer, int& descriptor) {
    auto opened = transfer->descriptor();
    if (!opened) {
        transfer->abort();
        return opened.error();
    }
    descriptor = *opened;
    // A client that frees a stream without ending it leaves its address to the next one.
    if (const auto forgotten = take(stream)) forgotten->abort();
    const std::lock_guard held(mutex_);
    transfers_.insert_or_assign(stream, std::move(transfer));
    return {};
}

Result<std::shared_ptr<Transfer>> Streams::find(const void* stream) {
    const std::lock_guard held(mutex_);
    const auto found = transfers_.find(stream);
    if (found == transfers_.end()) return Error(ErrorKind::invalid, EBADF, "the stream is closed");
    return found->second;
}

std::shared_ptr<Transfer> Streams::take(const void* stream) {
    const std::lock_guard held(mutex_);
    const auto found = transfers_.find(stream);
    if (found == transfers_.end()) return nullptr;
    auto transfer = std::move(found->second);
    transfers_.erase(found);
    return transfer;
}

}  // namespace sfg
