// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/stream_gate.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace sfg {

StreamGate::~StreamGate() {
    if (fd_ >= 0) ::close(fd_);
}

Result<void> StreamGate::open() {
    fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd_ < 0) return Error::from_errno(errno, "cannot make an event descriptor");
    return {};
}

Result<int> StreamGate::duplicate() const {
    const int copy = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return Error::from_errno(errno, "cannot duplicate an event descriptor");
    return copy;
}

void StreamGate::set_readable(bool readable) {
    set_counter(readable ? 1 : 0);
}

void StreamGate::set_writable(bool writable) {
    // The largest value that the counter takes (eventfd(2)).
    set_counter(writable ? 0 : 0xfffffffffffffffeULL);
}

void StreamGate::set_counter(unsigned long long value) {
    if (value == counter_) return;
    // Neither call can fail here: the counter is what was last written, or nothing.
    unsigned long long old = 0;
    if (counter_ != 0 && ::read(fd_, &old, sizeof(old)) < 0) return;
    counter_ = 0;
    if (value != 0 && ::write(fd_, &value, sizeof(value)) < 0) return;
    counter_ = value;
}

Result<int> open_broken_descriptor() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return Error::from_errno(errno, "cannot make a pipe");
    ::close(ends[0]);
    return ends[1];
}

}  // namespace sfg
