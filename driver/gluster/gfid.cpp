// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/gluster/gfid.hpp"

#include <cstdio>

namespace sfg {

std::string text_of(const Gfid& gfid) {
    std::string text;
    for (std::size_t i = 0; i < gfid.bytes.size(); ++i) {
        char hex[3];
        std::snprintf(hex, sizeof(hex), "%02x", gfid.bytes[i]);
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += hex;
    }
    return text;
}

}  // namespace sfg
