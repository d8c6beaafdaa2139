// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace sfg::doctor {

enum class Level {
    fine,
    note,     // good to know; nothing is wrong
    warning,  // it works, but slowly or not safely
    problem,  // something does not work
};

struct Finding {
    Level level;
    std::string about;  // "libvirt", "emulator /usr/bin/qemu-system-x86_64", "volume shakenfist"
    std::string what;   // one sentence, without a full stop
    std::string mend = {};  // for a shell, or what to do; "" where there is nothing to mend
};

using Findings = std::vector<Finding>;

// "fine", "note", "warning", "problem"
const char* level_name(Level level);

// Whether a script has to care: warnings and problems.
bool something_to_mend(const Findings& findings);

// A screenful for people: a line for each finding, and one for what mends it.
std::string as_text(const Findings& findings);
// An object with "findings" (level, about, what, mend) and "ok".
std::string as_json(const Findings& findings);

}  // namespace sfg::doctor
