// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/convert/node_json.hpp"

#include <cstdio>

namespace sfg {
namespace {

std::string node(std::span<const QemuNode> chain) {
    const QemuNode& top = chain.front();
    std::string text = "{\"driver\":" + json_string(top.format) +
                       ",\"file\":{\"driver\":" + json_string(top.protocol) +
                       ",\"filename\":" + json_string(top.filename) + ",\"locking\":\"off\"}";
    text += ",\"backing\":" + (chain.size() > 1 ? node(chain.subspan(1)) : "null");
    return text + "}";
}

}  // namespace

std::string json_string(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
            out += escape;
        } else {
            out += c;
        }
    }
    return out + "\"";
}

std::string qemu_json(std::span<const QemuNode> chain) {
    return "json:" + node(chain);
}

}  // namespace sfg
