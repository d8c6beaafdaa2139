// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/extension_writer.hpp"

#include <algorithm>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/geometry.hpp"
#include "driver/qcow2/layout.hpp"

namespace sfg::qcow2 {

std::uint64_t extension_size(std::uint64_t data_length) {
    return kExtensionHeader + divide_up(data_length, kExtensionUnit) * kExtensionUnit;
}

std::span<std::byte> add_extension(std::vector<std::byte>& out, std::uint32_t type,
                                   std::uint64_t length) {
    const std::size_t at = out.size();
    out.resize(at + static_cast<std::size_t>(extension_size(length)));
    store_be<std::uint32_t>(out, at, type);
    store_be<std::uint32_t>(out, at + 4, static_cast<std::uint32_t>(length));
    return std::span(out).subspan(at + kExtensionHeader, static_cast<std::size_t>(length));
}

void add_extension(std::vector<std::byte>& out, std::uint32_t type,
                   std::span<const std::byte> data) {
    const auto place = add_extension(out, type, data.size());
    std::copy(data.begin(), data.end(), place.begin());
}

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace sfg::qcow2
