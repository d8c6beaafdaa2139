// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sfg {

// The options of a block node, as json:{...} gives them: a value, or members by name. Elements of
// an array are members "0", "1" and so on, and {"file.driver":"gluster"} is
// {"file":{"driver":...}}, as qemu (qdict_flatten) and libvirt (virJSONValueObjectDeflatten) have
// it.
struct NodeOptions {
    enum class Type { group, string, number, boolean, null, empty };

    Type type = Type::group;
    std::string text = {};  // of a string, or of a number or boolean as written
    std::map<std::string, NodeOptions, std::less<>> members = {};

    const NodeOptions* find(std::string_view name) const;
    bool has(std::string_view name) const { return find(name) != nullptr; }
    // The string of that name.
    std::optional<std::string> string(std::string_view name) const;
};

// `json` is what follows "json:", in the dialect of qemu's qobject/json-lexer.c and json-parser.c:
// strings may stand in single quotes. Nothing where it is not a well-formed object, says something
// twice, has a NUL, is nested deeper than anybody does or has more members.
std::optional<NodeOptions> parse_node_options(std::string_view json);

}  // namespace sfg
