// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/random/blocks.hpp"

#include <cstdio>
#include <functional>

#include "tests/support/stream_client.hpp"

namespace sfg::test::random {

std::string block_bytes(int number) {
    return noise(kBlock, static_cast<unsigned>(number));
}

std::string block_name(std::string_view bytes) {
    std::string whole(bytes.substr(0, kBlock));
    whole.resize(kBlock);
    if (whole.find_first_not_of('\0') == std::string::npos) return "zeros";
    char name[17];
    std::snprintf(name, sizeof(name), "%016zx", std::hash<std::string>()(whole));
    return name;
}

std::string block_of_zeros() {
    return "zeros";
}

}  // namespace sfg::test::random
