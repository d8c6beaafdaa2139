// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/command/known_volumes.hpp"

#include <unistd.h>

#include <cerrno>

#include "hooks/host/read_host.hpp"

namespace sfg::command {

Result<hooks::KnownVolumes> known_volumes(const std::string& configuration) {
    if (configuration != hooks::kConfiguration && access(configuration.c_str(), F_OK) < 0)
        return Error::from_errno(errno, "cannot read " + configuration);
    SFG_TRY_ASSIGN(const auto host, hooks::read_host(configuration));
    auto volumes = hooks::KnownVolumes::make(host);
    if (!volumes) return volumes.error().with_context(configuration);
    return volumes;
}

}  // namespace sfg::command
