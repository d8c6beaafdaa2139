// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <pugixml.hpp>
#include <vector>

#include "driver/gluster/address.hpp"

namespace sfg::hooks {

// Takes the children of that name out of a <source>, each with the white space before it; a source
// without other children is empty then.
void remove_children(pugi::xml_node source, const char* name);

// Puts the <host> elements of a network disk before all other children, indented like the document
// around, as libvirt writes them.
void add_hosts(pugi::xml_node source, const std::vector<Server>& servers);

}  // namespace sfg::hooks
