// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "driver/core/result.hpp"
#include "driver/volumes/transfer.hpp"

namespace sfg {

// The transfers that run, by libvirt's stream objects. libvirt's own place for such a thing, the
// stream's private data, belongs to its FDStream. Thread-safe.
class Streams {
  public:
    static Streams& instance();

    // Also opens `descriptor` for the stream.
    Result<void> add(const void* stream, std::shared_ptr<Transfer> transfer, int& descriptor);

    // ErrorKind::invalid where the stream is over.
    Result<std::shared_ptr<Transfer>> find(const void* stream);

    // Forgets it; null where the stream is over.
    std::shared_ptr<Transfer> take(const void* stream);

  private:
    std::mutex mutex_;
    std::map<const void*, std::shared_ptr<Transfer>> transfers_;
};

}  // namespace sfg
