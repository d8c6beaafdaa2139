// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"

namespace sfg::hooks {

// host, host:port, [IPv6]:port, a bare IPv6 address, or the path of glusterd's socket (begins with
// '/'). ErrorKind::invalid, with a sentence, for what is none.
Result<Server> parse_server(const std::string& word);

// The same backwards, with the port of glusterd where none is given.
std::string server_word(const Server& server);

}  // namespace sfg::hooks
