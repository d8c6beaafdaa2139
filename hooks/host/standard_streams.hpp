// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace sfg::hooks {

// Standard input to its end, as much of it as a domain document may be long and one byte more.
std::string read_document();

// All of `text` to standard output. False where that fails.
bool write_document(const std::string& text);

// Opens those of the descriptors 0 to 2 that the caller has closed: what is opened next must not be
// taken for one of them.
void open_standard_streams();

}  // namespace sfg::hooks
