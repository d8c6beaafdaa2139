// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/error.hpp"

#include <string.h>

#include <cerrno>

namespace sfg {

ErrorKind kind_of_errno(int system_errno) {
    switch (system_errno) {
        case ENOENT:
        case ESTALE:  // gluster: the gfid is gone
            return ErrorKind::not_found;
        case EEXIST:
            return ErrorKind::exists;
        case EINVAL:
        case ENAMETOOLONG:
            return ErrorKind::invalid;
        case EOPNOTSUPP:
        case ENOSYS:
            return ErrorKind::unsupported;
        case EBUSY:
        case EAGAIN:
        case ETXTBSY:
            return ErrorKind::busy;
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
            return ErrorKind::no_space;
        case EACCES:
        case EPERM:
        case EROFS:
            return ErrorKind::denied;
        case ENOTCONN:
        case ETIMEDOUT:
        case ECONNREFUSED:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EHOSTDOWN:
            return ErrorKind::not_connected;
        default:
            return ErrorKind::io;
    }
}

std::string errno_text(int system_errno) {
    const char* text = strerrordesc_np(system_errno);
    return text != nullptr ? text : "errno " + std::to_string(system_errno);
}

Error Error::from_errno(int system_errno, const std::string& what) {
    return Error(kind_of_errno(system_errno), system_errno, what + ": " + errno_text(system_errno));
}

}  // namespace sfg
