// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string>

namespace sfg {

// Gluster's identity of a file, the same under all its names and on all clients.
struct Gfid {
    std::array<unsigned char, 16> bytes{};

    bool operator==(const Gfid&) const = default;
};

// Gluster's text form, as in the attribute glusterfs.gfid.string of a FUSE mount.
std::string text_of(const Gfid& gfid);

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
