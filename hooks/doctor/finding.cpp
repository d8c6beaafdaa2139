// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/doctor/finding.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "driver/core/log.hpp"

namespace sfg::doctor {

const char* level_name(Level level) {
    switch (level) {
        case Level::fine:
            return "fine";
        case Level::note:
            return "note";
        case Level::warning:
            return "warning";
        case Level::problem:
            break;
    }
    return "problem";
}

bool something_to_mend(const Findings& findings) {
    return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
        return finding.level == Level::warning || finding.level == Level::problem;
    });
}

std::string as_text(const Findings& findings) {
    std::string text;
    for (const auto& finding : findings) {
        std::string level = level_name(finding.level);
        level.resize(9, ' ');
        text += level + finding.about + ": " + finding.what + "\n";
        if (!finding.mend.empty()) text += "         mend: " + finding.mend + "\n";
    }
    return text;
}

std::string as_json(const Findings& findings) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& finding : findings)
        list.push_back({{"level", level_name(finding.level)},
                        {"about", escaped(finding.about)},
                        {"what", escaped(finding.what)},
                        {"mend", escaped(finding.mend)}});
    return nlohmann::json{{"ok", !something_to_mend(findings)}, {"findings", list}}.dump(2) + "\n";
}

}  // namespace sfg::doctor
