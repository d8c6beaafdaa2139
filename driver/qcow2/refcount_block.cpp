// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/qcow2/refcount_block.hpp"

#include "driver/core/big_endian.hpp"

namespace sfg::qcow2 {

namespace {

constexpr std::uint32_t kByteOrder = 3;  // 8 bits

// Where a count of less than a byte is.
struct Bits {
    std::size_t byte;
    unsigned shift;
    unsigned mask;
};

Bits bits_of(std::uint64_t index, std::uint32_t order) {
    const std::uint64_t bit = index << order;
    return {static_cast<std::size_t>(bit / 8), static_cast<unsigned>(bit % 8),
            (1u << (1u << order)) - 1};
}

}  // namespace

std::uint64_t load_refcount(std::span<const std::byte> block, std::uint64_t index,
                            std::uint32_t order) {
    if (order < kByteOrder) {
        const Bits at = bits_of(index, order);
        return (std::to_integer<unsigned>(block[at.byte]) >> at.shift) & at.mask;
    }
    const auto at = static_cast<std::size_t>(index << (order - kByteOrder));
    switch (order) {
        case 3:
            return load_be<std::uint8_t>(block, at);
        case 4:
            return load_be<std::uint16_t>(block, at);
        case 5:
            return load_be<std::uint32_t>(block, at);
        default:
            return load_be<std::uint64_t>(block, at);
    }
}

void store_refcount(std::span<std::byte> block, std::uint64_t index, std::uint32_t order,
                    std::uint64_t value) {
    if (order < kByteOrder) {
        const Bits at = bits_of(index, order);
        const unsigned others = std::to_integer<unsigned>(block[at.byte]) & ~(at.mask << at.shift);
        block[at.byte] =
            static_cast<std::byte>(others | (static_cast<unsigned>(value) << at.shift));
        return;
    }
    const auto at = static_cast<std::size_t>(index << (order - kByteOrder));
    switch (order) {
        case 3:
            return store_be(block, at, static_cast<std::uint8_t>(value));
        case 4:
            return store_be(block, at, static_cast<std::uint16_t>(value));
        case 5:
            return store_be(block, at, static_cast<std::uint32_t>(value));
        default:
            return store_be(block, at, value);
    }
}

std::optional<std::uint64_t> last_counted(std::span<const std::byte> block, std::uint32_t order) {
    std::size_t end = block.size();
    while (end > 0 && block[end - 1] == std::byte{0}) --end;
    if (end == 0) return std::nullopt;
    std::uint64_t index = (static_cast<std::uint64_t>(end) * 8 - 1) >> order;
    while (load_refcount(block, index, order) == 0) --index;
    return index;
}

}  // namespace sfg::qcow2
