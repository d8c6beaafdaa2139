// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <string>

#include "driver/core/result.hpp"

namespace sfg {

// fork(2) into new namespaces (CLONE_NEW...). For a process of one thread. -1 with errno.
pid_t fork_into(unsigned long namespaces);

// A private tmpfs in this process's mount namespace, for the mounts and files of the conversion:
// it lies over a directory that every system has. `/proc` shows this process's own namespace
// afterwards. What is mounted here is seen nowhere else, while what the host unmounts goes here
// too. Gives the directory's name.
Result<std::string> make_private_place();

// Where `program` can be run after hide_tmp(): itself, or for one outside of /usr a place in the
// private place.
Result<std::string> keep_program(const std::string& place, const std::string& program);

// An empty /tmp, seen here only: glusterfs makes files there for a moment, which stay when it is
// killed in that moment.
Result<void> hide_tmp();

}  // namespace sfg
