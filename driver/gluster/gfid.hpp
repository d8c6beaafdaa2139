// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <functional>

namespace sfg {

// Gluster's identity of a file, the same under all its names and on all clients.
struct Gfid {
    std::array<unsigned char, 16> bytes{};

    bool operator==(const Gfid&) const = default;
};

}  // namespace sfg

template <>
struct std::hash<sfg::Gfid> {
    std::size_t operator()(const sfg::Gfid& gfid) const noexcept {
        // A gfid is random already: any of its words is a hash.
        std::size_t word;
        std::memcpy(&word, gfid.bytes.data(), sizeof(word));
        return word;
    }
};
