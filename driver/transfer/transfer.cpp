// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/transfer.hpp"

#include <cerrno>

namespace sfg {
namespace {

Error wrong_way() {
    return Error(ErrorKind::invalid, EBADF, "the stream goes the other way");
}

}  // namespace

Result<std::optional<std::size_t>> Transfer::send(std::span<const std::byte> /*bytes*/,
                                                  bool /*wait*/) {
    return wrong_way();
}

Result<std::optional<std::size_t>> Transfer::receive(std::span<std::byte> /*buffer*/,
                                                     bool /*wait*/) {
    return wrong_way();
}

Result<Transfer::Section> Transfer::next_section() {
    return wrong_way();
}

}  // namespace sfg
