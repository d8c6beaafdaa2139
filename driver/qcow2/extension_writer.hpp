// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

// Section "Header extensions": building a header's extensions at the end of a buffer.
namespace sfg::qcow2 {

// How many bytes an extension with so much data takes.
std::uint64_t extension_size(std::uint64_t data_length);

// Appends the start of an extension and returns the place for its data, which is zero and, like
// all data of extensions, is padded to 8 bytes. It holds until the buffer changes.
std::span<std::byte> add_extension(std::vector<std::byte>& out, std::uint32_t type,
                                   std::uint64_t length);

// The same with the data. `data` must not be in `out`.
void add_extension(std::vector<std::byte>& out, std::uint32_t type,
                   std::span<const std::byte> data);

std::span<const std::byte> bytes_of(std::string_view text);

}  // namespace sfg::qcow2
