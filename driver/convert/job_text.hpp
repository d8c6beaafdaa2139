// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/convert/convert.hpp"

namespace sfg {

// What the helper reads from the library: the job and which programs are to do it. Words that each
// end with a zero byte, in a fixed order, lists after their length; the first word is the number
// of bytes that follow it. Both sides are of one build, which the second word makes sure of.
std::string job_text(const ConvertJob& job, const ConvertTools& tools);

struct HelperJob {
    ConvertJob job;
    ConvertTools tools;
};

// Of all bytes behind the first word.
Result<HelperJob> parse_job_text(const std::string& text);

}  // namespace sfg
