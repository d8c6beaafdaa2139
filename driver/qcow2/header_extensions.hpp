// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "driver/core/result.hpp"
#include "driver/qcow2/header_bytes.hpp"

namespace sfg::qcow2 {

// The header extensions of an image (section "Header extensions"): where each known one is, and
// what is checked in it. Data is fetched only when it is asked for.
class Extensions {
  public:
    // More than anybody writes; an image with more of them is damaged.
    static constexpr unsigned kMaxCount = 64;

    // Data of an extension, without its header.
    struct Place {
        std::uint32_t type = 0;
        std::uint64_t offset = 0;
        std::uint32_t length = 0;
    };

    // Walks over the extensions from `begin` to the end mark or `end`. After an error those that
    // came before the damage can be found.
    Result<void> read(HeaderBytes& bytes, std::uint64_t begin, std::uint64_t end);

    // A known extension, if the image has it.
    std::optional<Place> find(std::uint32_t type) const;

    // An extension that is one string (section "String header extensions"); nothing when it is
    // missing or empty. `name` is for the sentence of an error, `max` counts bytes.
    Result<std::optional<std::string>> text(HeaderBytes& bytes, std::uint32_t type,
                                            std::string_view name, std::uint32_t max) const;

    // Section "Full disk encryption header pointer": there with LUKS and only with it.
    Result<void> check_encryption(HeaderBytes& bytes, std::uint32_t crypt_method,
                                  std::uint64_t cluster_size) const;

    // Section "Bitmaps extension", which must be there.
    Result<void> check_bitmaps(HeaderBytes& bytes, std::uint64_t cluster_size) const;

  private:
    std::array<Place, 5> known_;  // as many as there are known types
    std::size_t count_ = 0;
};

// What the bits of a feature field mean, for a message: names from the image's feature name table
// where it has them, else numbers. Few of them are listed, so that the text stays short.
std::string describe_features(std::uint64_t bits, std::uint8_t type, const Extensions& extensions,
                              HeaderBytes& bytes);

}  // namespace sfg::qcow2
