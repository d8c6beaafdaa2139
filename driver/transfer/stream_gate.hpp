// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driver/core/result.hpp"

namespace sfg {

// A descriptor that is readable or writable because we say so. libvirt's event loop watches a
// stream by a descriptor (virFDStreamOpen); ours carries no bytes, it only says when to ask for
// more. That bounds memory to the byte and saves two copies of all data; a pipe would take bytes
// when the kernel likes. It is an eventfd(2): readable while its counter is above zero, writable
// while one can be added to it.
//
// Not thread-safe: the owner's lock is held around all calls.
class StreamGate {
  public:
    StreamGate() = default;
    ~StreamGate();
    StreamGate(const StreamGate&) = delete;
    StreamGate& operator=(const StreamGate&) = delete;

    // Opens it: neither readable nor blocked.
    Result<void> open();

    // A descriptor for somebody else, who closes it.
    Result<int> duplicate() const;

    void set_readable(bool readable);
    // One that is not writable is readable, which nobody who writes asks for.
    void set_writable(bool writable);

  private:
    void set_counter(unsigned long long value);

    int fd_ = -1;
    unsigned long long counter_ = 0;
};

// A descriptor on which poll(2) tells of an error at all times: the end of a pipe that nobody
// reads. The caller closes it.
Result<int> open_broken_descriptor();

}  // namespace sfg
