// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>

namespace sfg::hooks {

// An element as libvirt writes it (virBufferEscapeString): single quotes, and references for the
// five characters that may need one; also for those that would not be read again as they are, a
// carriage return, and a tab and a line feed in an attribute.
std::string xml_text(pugi::xml_node element);

// The end of the element that begins at `begin` of a well-formed document without a document type,
// both in bytes.
std::size_t element_end(std::string_view document, std::size_t begin);

}  // namespace sfg::hooks
