// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <utility>

namespace sfg {

// What went wrong, in the terms a caller can act on. driver/libvirt maps each kind to one libvirt
// error code, in one place.
enum class ErrorKind {
    not_found,      // the volume, directory or base is not there
    pool_missing,   // the gluster volume, or the pool's directory in it, is not there
    exists,         // the name is taken
    invalid,        // the request cannot be right: a bad name, size or combination
    unsupported,    // a fair request that this driver, or the format, does not do
    corrupt,        // the bytes of an image contradict its format
    busy,           // somebody else uses it
    no_space,       // the brick or a quota is full
    denied,         // permissions, root squash, a read-only volume
    not_connected,  // gluster does not answer
    io,             // everything else that the storage reports
};

// An error with its kind, the errno it came from (0 when it did not come from a call) and one
// sentence for the user. Each layer may put its context before the sentence.
class Error {
  public:
    Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}
    Error(ErrorKind kind, int system_errno, std::string message)
        : kind_(kind), errno_(system_errno), message_(std::move(message)) {}

    // The error of a failed call: the kind follows from `system_errno`, and the sentence is
    // `what` with the errno's text behind it.
    static Error from_errno(int system_errno, const std::string& what);

    ErrorKind kind() const { return kind_; }
    int system_errno() const { return errno_; }
    const std::string& message() const { return message_; }

    // "context: message"
    Error with_context(const std::string& context) const {
        return Error(kind_, errno_, context + ": " + message_);
    }

  private:
    ErrorKind kind_;
    int errno_ = 0;
    std::string message_;
};

// The kind an errno stands for; ErrorKind::io where nothing better fits.
ErrorKind kind_of_errno(int system_errno);

// The text of an errno, without the locale and without shared state.
std::string errno_text(int system_errno);

}  // namespace sfg
