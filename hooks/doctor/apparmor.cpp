// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fstream>

#include "hooks/doctor/parts.hpp"

namespace sfg::doctor {

Findings check_apparmor(const std::string& directory) {
    std::ifstream enabled("/sys/module/apparmor/parameters/enabled");
    if (enabled.get() != 'Y') return {{Level::fine, "AppArmor", "it is off on this host"}};
    (void)directory;
    return {};
}

}  // namespace sfg::doctor
