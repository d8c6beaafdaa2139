// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/source_children.hpp"

#include <string>
#include <string_view>

namespace sfg::hooks {
namespace {

bool is_blank(pugi::xml_node node) {
    return node.type() == pugi::node_pcdata &&
           std::string_view(node.value()).find_first_not_of(" \t\n") == std::string_view::npos;
}

// The line break and indentation before a node; "" in a document without.
std::string indentation(pugi::xml_node node) {
    return is_blank(node.previous_sibling()) ? node.previous_sibling().value() : "";
}

void describe_host(pugi::xml_node host, const Server& server) {
    if (server.is_local()) {
        host.append_attribute("transport").set_value("unix");
        host.append_attribute("socket").set_value(server.socket.c_str());
        return;
    }
    host.append_attribute("name").set_value(server.host.c_str());
    host.append_attribute("port").set_value(server.port != 0 ? server.port : kGlusterdPort);
}

}  // namespace

void remove_children(pugi::xml_node source, const char* name) {
    for (auto child = source.child(name); child;) {
        const auto next = child.next_sibling(name);
        if (is_blank(child.previous_sibling())) source.remove_child(child.previous_sibling());
        source.remove_child(child);
        child = next;
    }
    if (source.first_child() == source.last_child() && is_blank(source.first_child()))
        source.remove_child(source.first_child());
}

void add_hosts(pugi::xml_node source, const std::vector<Server>& servers) {
    const std::string outside = indentation(source);
    const std::string inside = outside.empty() ? "" : outside + "  ";
    if (!source.first_child() && !outside.empty())
        source.append_child(pugi::node_pcdata).set_value(outside.c_str());
    const auto first = source.first_child();
    for (const Server& server : servers) {
        if (!first) {
            describe_host(source.append_child("host"), server);
            continue;
        }
        if (!inside.empty())
            source.insert_child_before(pugi::node_pcdata, first).set_value(inside.c_str());
        describe_host(source.insert_child_before("host", first), server);
    }
}

}  // namespace sfg::hooks
