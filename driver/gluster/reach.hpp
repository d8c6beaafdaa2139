// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "driver/gluster/address.hpp"

namespace sfg {

struct Reach {
    std::vector<Server> answering;  // in the order given
    std::vector<Server> silent;     // the others
    std::string refusals;           // "host:port: reason" of the others, "; " between them
};

// Which of `servers` accept a connection within `limit`? All are asked at once, and names are
// resolved at once, so that neither a silent host nor a silent DNS server holds up the others.
// Servers that were all silent a moment ago get half a second: a daemon that starts its pools one
// after another waits for a dead host once.
//
// gfapi asks its servers one after another and waits for the kernel's connection timeout (about
// two minutes) at a host that is switched off, so it is given those first that are there.
Reach reachable(const std::vector<Server>& servers, std::chrono::milliseconds limit);

}  // namespace sfg
