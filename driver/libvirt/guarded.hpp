// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <string>

#include "driver/core/parent.hpp"
#include "driver/core/result.hpp"
#include "driver/libvirt/contract.h"

// What every function of contract.h stands in.

namespace sfg {

static_assert(static_cast<int>(SFG_ERROR_NOT_FOUND) == static_cast<int>(ErrorKind::not_found));
static_assert(static_cast<int>(SFG_ERROR_IO) == static_cast<int>(ErrorKind::io));

inline std::string text_or_empty(const char* text) {
    return text != nullptr ? text : "";
}

inline void copy_text(char* to, std::size_t size, const std::string& text) {
    // Cut at a character: libvirt sends messages over XDR and XML.
    std::size_t length = std::min(text.size(), size - 1);
    while (length < text.size() && length > 0 && (text[length] & 0xc0) == 0x80) --length;
    std::memcpy(to, text.data(), length);
    to[length] = '\0';
}

inline int fail(const Error& error, sfg_error* out) {
    out->kind = static_cast<sfg_error_kind>(error.kind());
    out->system_errno = error.system_errno();
    copy_text(out->message, sizeof(out->message), error.message());
    return -1;
}

// Runs `work`, a Result<void> of this process, and tells its error; an exception is one. In a child
// that must not touch what its parent uses (core/parent.hpp), runs `in_child` instead.
template <typename Work, typename InChild>
int guarded(sfg_error* error, const Work& work, const InChild& in_child) noexcept {
    try {
        const Result<void> done = enter_process() == Process::whole ? work() : in_child();
        return done ? 0 : fail(done.error(), error);
    } catch (const std::exception& exception) {
        error->kind = SFG_ERROR_IO;
        error->system_errno = ENOMEM;
        std::strncpy(error->message, exception.what(), sizeof(error->message) - 1);
        error->message[sizeof(error->message) - 1] = '\0';
        return -1;
    }
}

inline Result<void> not_in_a_child() {
    return Error(ErrorKind::io, EIO,
                 "gluster cannot be used from a forked child of a process that uses it");
}

template <typename Work>
int guarded(sfg_error* error, const Work& work) noexcept {
    return guarded(error, work, not_in_a_child);
}

}  // namespace sfg
