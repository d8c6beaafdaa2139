// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <string>

#include "driver/core/result.hpp"

namespace sfg {

// libvirtd forks without exec (virProcessRunInFork, virProcessRunInMountNamespace) and goes on in
// the child with a copy of all memory: of locks as threads held them that the child does not have,
// and of gluster connections whose threads stayed behind. So a child never touches what the parent
// may have been using, and asks the parent instead.
//
// All that is here may be called at any time in any of these processes: it takes no lock.

enum class Process {
    whole,  // may work: it loaded this library, or its parent had not begun to use it at the fork
    child,  // may do nothing but ask_parent
};

// To be called at the head of everything that may take a lock or use gluster, before anything else.
// The first call in the process that loaded this library starts the thread that answers children,
// with what set_parent_service has given.
Process enter_process();

// Answers a child's request; the answer is what ask_parent returns. Runs on a thread of its own for
// each request. To be set once, before the first call of enter_process().
using ParentService = Result<void> (*)(const std::string& request);
void set_parent_service(ParentService service);

// In a child: has the parent do it. Waits for `limit`: ErrorKind::not_connected after that, and
// where the parent is gone. A request of 64 KiB at the most.
Result<void> ask_parent(const std::string& request, std::chrono::milliseconds limit);

}  // namespace sfg
