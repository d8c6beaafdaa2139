// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sfg::test::random {

// The identity of contents: what a guest reads in the first 64 KiB. Each write puts bytes there
// that no other one does.
inline constexpr std::size_t kBlock = 65536;

std::string block_bytes(int number);
// A short name for such bytes; what is missing at their end counts as zeros.
std::string block_name(std::string_view bytes);
std::string block_of_zeros();

}  // namespace sfg::test::random
