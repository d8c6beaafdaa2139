// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "driver/core/result.hpp"
#include "driver/transfer/transfer.hpp"

namespace sfg {

// The transfers that run, by libvirt's stream objects. libvirt's own place for such a thing, the
// stream's private data, belongs to its FDStream. Thread-safe.
class Streams {
  public:
    static Streams& instance();

    // Also opens `descriptor` for the stream; the caller keeps it under that number.
    Result<void> add(const void* stream, std::shared_ptr<Transfer> transfer, int& descriptor);

    // ErrorKind::invalid where the stream is over.
    Result<std::shared_ptr<Transfer>> find(const void* stream);

    // Forgets it; null where the stream is over.
    std::shared_ptr<Transfer> take(const void* stream);

    // Has whoever watches the stream's descriptor see an error there from now on.
    void alarm(const void* stream);

  private:
    struct Running {
        std::shared_ptr<Transfer> transfer;
        int descriptor;  // the caller's
    };

    std::mutex mutex_;
    std::map<const void*, Running> running_;
    int broken_ = -1;  // open_broken_descriptor(); here from the first stream on
};

}  // namespace sfg
