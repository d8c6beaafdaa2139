// SPDX-License-Identifier: LGPL-2.1-or-later
// libFuzzer target: whatever the bytes of an image are, resizing it, preallocating it and rewriting
// its header ends, and stays within the memory and the storage that there is; and an image that was
// clean before is clean afterwards, with the guest's data, whether that succeeded or not.
//
// The last eight bytes of the input are not part of the image: what to do (1), how much longer than
// the input the file is, in units of 512 (2), and the new size, in units of 512 times a power of
// two (4 and 1).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "driver/core/big_endian.hpp"
#include "driver/qcow2/header.hpp"
#include "driver/qcow2/preallocate.hpp"
#include "driver/qcow2/resize.hpp"
#include "driver/qcow2/rewrite_header.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/qcow2_checker.hpp"

namespace {

using namespace sfg::qcow2;
using sfg::Result;
using sfg::test::MemoryStore;

void require(bool condition) {
    if (!condition) std::abort();
}

// A disk that is soon full.
class SmallStore : public MemoryStore {
  public:
    using MemoryStore::MemoryStore;
    Result<void> write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        if (written_bytes() > std::uint64_t{8} << 20)
            return sfg::Error(sfg::ErrorKind::no_space, "full");
        require(data.size() <= std::size_t{2} << 20);
        return MemoryStore::write_at(offset, data);
    }
};

Result<void> change(SmallStore& file, std::uint8_t what, std::uint64_t new_size) {
    switch (what % 4) {
        case 0:
        case 1: {
            ResizeOptions options;
            options.virtual_size = new_size;
            options.allow_shrink = what % 4 == 1;
            options.base_size = 0;
            return resize(file, options);
        }
        case 2:
            return preallocate(file, static_cast<CreateOptions::Preallocation>(what / 4 % 4));
        default: {
            HeaderChanges changes;
            changes.change_base = what / 4 % 2 != 0;
            if (what / 8 % 2 != 0)
                changes.base = RecordedBase{std::string(1 + what / 16, 'b'), std::nullopt};
            if (what / 32 % 2 != 0) changes.lazy_refcounts = what / 64 % 2 != 0;
            return rewrite_header(file, changes);
        }
    }
}

// Small enough to be compared.
constexpr std::uint64_t kMaxCompared = std::uint64_t{1} << 20;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 8) return 0;
    const auto all = std::as_bytes(std::span(data, size));
    const auto image = all.first(size - 8);
    const auto choice = all.last(8);
    const std::uint8_t what = data[size - 8];
    const std::uint64_t more = sfg::load_be<std::uint16_t>(choice, 1);
    const std::uint64_t new_size = std::uint64_t{sfg::load_be<std::uint32_t>(choice, 3)} * 512
                                   << data[size - 1] % 32;

    SmallStore file(image);
    require(file.resize(image.size() + more * 512).has_value());
    const bool was_clean = sfg::test::check_qcow2(file).empty();
    const auto before = was_clean ? read_header(file) : Result<Header>(Header());
    const bool compared = was_clean && before && before->virtual_size <= kMaxCompared;
    MemoryStore old = file;

    const auto done = change(file, what, new_size);
    if (!done) {
        const std::string& sentence = done.error().message();
        require(!sentence.empty() && sentence.size() < 1200);
    }
    if (!was_clean) return 0;

    const std::string problem = sfg::test::check_qcow2(file);
    if (problem == "too large to be checked") return 0;
    require(problem.empty());
    const auto after = read_header(file);
    require(after.has_value() == before.has_value());
    if (!compared || what % 4 == 3) return 0;
    const std::uint64_t both = std::min(before->virtual_size, after->virtual_size);
    require(sfg::test::guest_content(file, both) == sfg::test::guest_content(old, both));
    return 0;
}
