// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <pugixml.hpp>
#include <vector>

#include "driver/gluster/address.hpp"

namespace sfg::hooks {

// The <host> elements of a network disk's <source>.

// Takes them out, each with the white space before it; a source without other children is empty
// then.
void remove_hosts(pugi::xml_node source);

// Puts them before all other children, indented like the document around, as libvirt writes them.
void add_hosts(pugi::xml_node source, const std::vector<Server>& servers);

}  // namespace sfg::hooks
