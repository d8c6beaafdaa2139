// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/memory_store.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

namespace sfg::test {

namespace {

constexpr std::uint64_t kMaxSize = std::numeric_limits<std::int64_t>::max();

Error too_big() {
    return Error::from_errno(EFBIG, "cannot write to memory");
}

}  // namespace

MemoryStore::MemoryStore(std::span<const std::byte> content) {
    (void)write_at(0, content);
}

Result<std::size_t> MemoryStore::read_at(std::uint64_t offset, std::span<std::byte> buffer) {
    if (offset >= size_) return std::size_t{0};
    const auto length =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size_ - offset));
    for (std::size_t done = 0; done < length;) {
        const std::uint64_t at = (offset + done) % kPage;
        const std::size_t part = std::min(length - done, static_cast<std::size_t>(kPage - at));
        const auto page = pages_.find((offset + done) / kPage);
        if (page == pages_.end()) {
            std::fill_n(buffer.data() + done, part, std::byte{0});
        } else {
            std::copy_n(page->second->data() + at, part, buffer.data() + done);
        }
        done += part;
    }
    return length;
}

Result<void> MemoryStore::write_at(std::uint64_t offset, std::span<const std::byte> data) {
    if (data.empty()) return {};
    if (offset > kMaxSize || data.size() > kMaxSize - offset) return too_big();
    for (std::size_t done = 0; done < data.size();) {
        const std::uint64_t at = (offset + done) % kPage;
        const std::size_t part = std::min(data.size() - done, static_cast<std::size_t>(kPage - at));
        std::shared_ptr<Page>& page = pages_[(offset + done) / kPage];
        if (!page) {
            page = std::make_shared<Page>();  // zeros
        } else if (page.use_count() > 1) {
            page = std::make_shared<Page>(*page);
        }
        std::copy_n(data.data() + done, part, page->data() + at);
        done += part;
    }
    size_ = std::max(size_, offset + data.size());
    return {};
}

Result<void> MemoryStore::resize(std::uint64_t bytes) {
    if (bytes > kMaxSize) return too_big();
    if (bytes < size_) {
        pages_.erase(pages_.lower_bound((bytes + kPage - 1) / kPage), pages_.end());
        // What is cut off must read as zeros when the file grows again.
        if (const auto last = pages_.find(bytes / kPage); last != pages_.end()) {
            last->second = std::make_shared<Page>(*last->second);
            std::fill(last->second->begin() + static_cast<std::ptrdiff_t>(bytes % kPage),
                      last->second->end(), std::byte{0});
        }
    }
    size_ = bytes;
    return {};
}

Result<void> MemoryStore::allocate(std::uint64_t offset, std::uint64_t length) {
    if (length == 0) return {};
    if (offset > kMaxSize || length > kMaxSize - offset) return too_big();
    size_ = std::max(size_, offset + length);
    return {};
}

std::vector<std::byte> MemoryStore::bytes(std::uint64_t offset, std::size_t length) {
    std::vector<std::byte> out(length);
    (void)read_at(offset, out);
    return out;
}

}  // namespace sfg::test
