// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "driver/convert/helper/files.hpp"
#include "driver/core/result.hpp"

namespace sfg {

// Who the caged program is.
struct CageUser {
    std::string name;  // for messages
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
};

// The first of `names` that may open all of `files` as they are open here; nothing where none may,
// and the program is to be root with the capabilities to pass over permissions and no others.
std::optional<CageUser> find_user(const std::vector<std::string>& names,
                                  const std::vector<const OpenFile*>& files);

// How a program is caged:
// - mount namespace: a root of its own with /usr and what the dynamic linker needs, read-only,
//   /proc of its own, /dev/null and /dev/urandom; nothing of the host's files and no gluster
// - PID, IPC and an empty network namespace
// - the user above, no capabilities, no new privileges, limits, and only the descriptors `files`
// - an empty environment
struct Cage {
    std::string program;  // of the host
    std::string scratch;  // an empty directory of the private place
    std::optional<CageUser> user;
    std::vector<const OpenFile*> files;
    std::uint64_t memory_bytes = 0;
    std::uint64_t cpu_seconds = 0;
};

struct CagedRun {
    int status = 0;      // as of waitpid(2)
    std::string output;  // the beginning of its standard output, up to 64 KiB
    std::string errors;  // the end of its standard error
};

// Runs it to its end. `output` is called with pieces of its standard output as they come, `alive`
// about once a second when it has read or written something since.
Result<CagedRun> run_caged(const Cage& cage, const std::vector<std::string>& arguments,
                           const std::function<void(std::string_view)>& output,
                           const std::function<void()>& alive);

}  // namespace sfg
