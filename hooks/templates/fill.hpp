// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "driver/core/result.hpp"

namespace sfg::hooks {

// What the placeholders of a template stand for, by their names without the '@'. A name that may
// stand in a template is there, with an empty list where it has no value.
struct Values {
    using ByName = std::map<std::string, std::vector<std::string>, std::less<>>;

    ByName texts;      // put in with XML's characters escaped
    ByName documents;  // XML, put in as it is
};

// Whether `text` can be a value: UTF-8 without control characters, and without the two characters
// that XML 1.0 leaves out (U+FFFE and U+FFFF, section 2.2).
bool is_value(std::string_view text);

// A template with its placeholders, @NAME@ (capital letters, digits and '_'), filled in:
//
//   - A line whose placeholders have several values is repeated for each; several placeholders on
//     one line go through their values together.
//   - A line whose placeholders have no value is left out.
//   - The placeholder of a document has its line for itself, and each line of the document gets
//     that line's indentation.
//
// ErrorKind::corrupt says what is wrong with the template: a placeholder that is not in `values`,
// two on one line with different numbers of values, a document's that shares its line.
// ErrorKind::invalid: a text that is_value refuses.
Result<std::string> fill(std::string_view text, const Values& values);

}  // namespace sfg::hooks
