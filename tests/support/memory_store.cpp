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
    const std::lock_guard held(mutex_);
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
    const std::lock_guard held(mutex_);
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

Result<std::uint64_t> MemoryStore::size() {
    const std::lock_guard held(mutex_);
    return size_;
}

// From and to any byte: blocks that are whole become holes, the rest zeros.
void MemoryStore::clear(std::uint64_t from, std::uint64_t end) {
    auto page = pages_.lower_bound(from / kPage);
    while (page != pages_.end() && page->first * kPage < end) {
        const std::uint64_t start = page->first * kPage;
        const std::uint64_t begin_in_page = std::max(from, start) - start;
        const std::uint64_t end_in_page = std::min(end - start, kPage);
        if (begin_in_page == 0 && end_in_page == kPage) {
            page = pages_.erase(page);
            continue;
        }
        page->second = std::make_shared<Page>(*page->second);
        std::fill(page->second->begin() + static_cast<std::ptrdiff_t>(begin_in_page),
                  page->second->begin() + static_cast<std::ptrdiff_t>(end_in_page), std::byte{0});
        ++page;
    }
}

Result<void> MemoryStore::resize(std::uint64_t bytes) {
    if (bytes > kMaxSize) return too_big();
    const std::lock_guard held(mutex_);
    // What is cut off must read as zeros when the file grows again.
    if (bytes < size_) clear(bytes, kMaxSize);
    size_ = bytes;
    return {};
}

Result<void> MemoryStore::allocate(std::uint64_t offset, std::uint64_t length) {
    if (length == 0) return {};
    if (offset > kMaxSize || length > kMaxSize - offset) return too_big();
    const std::lock_guard held(mutex_);
    size_ = std::max(size_, offset + length);
    return {};
}

Result<std::optional<Extent>> MemoryStore::find_data(std::uint64_t from) {
    const std::lock_guard held(mutex_);
    if (!knows_holes_) return ByteSource::find_data(from);
    auto page = pages_.lower_bound(from / kPage);
    if (from >= size_ || page == pages_.end()) return std::optional<Extent>();
    const std::uint64_t begin = std::max(from, page->first * kPage);
    if (begin >= size_) return std::optional<Extent>();
    std::uint64_t end = (page->first + 1) * kPage;
    while (++page != pages_.end() && page->first * kPage == end) end += kPage;
    return std::optional(Extent{begin, std::min(end, size_) - begin});
}

Result<void> MemoryStore::discard(std::uint64_t offset, std::uint64_t length) {
    if (!discards_) return ByteSource::discard(offset, length);
    if (offset > kMaxSize || length > kMaxSize - offset) return too_big();
    const std::lock_guard held(mutex_);
    clear(offset, offset + length);
    return {};
}

std::uint64_t MemoryStore::written_bytes() const {
    const std::lock_guard held(mutex_);
    return pages_.size() * kPage;
}

std::vector<std::byte> MemoryStore::bytes(std::uint64_t offset, std::size_t length) {
    std::vector<std::byte> out(length);
    (void)read_at(offset, out);
    return out;
}

}  // namespace sfg::test
