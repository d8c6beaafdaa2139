// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/recording_store.hpp"

#include <algorithm>
#include <span>

namespace sfg::test {

namespace {

using Change = RecordingStore::Change;
using Kind = RecordingStore::Kind;

constexpr std::uint64_t kSector = 512;

// Those sectors of a write for which `stored` says so.
void apply_sectors(const Change& change, MemoryStore& store, const std::function<bool()>& stored) {
    const std::uint64_t end = change.offset + change.data.size();
    for (std::uint64_t at = change.offset; at < end;) {
        const std::uint64_t next = std::min(end, (at / kSector + 1) * kSector);
        if (stored()) {
            (void)store.write_at(at, std::span(change.data)
                                         .subspan(static_cast<std::size_t>(at - change.offset),
                                                  static_cast<std::size_t>(next - at)));
        }
        at = next;
    }
}

void apply(const Change& change, MemoryStore& store, const std::function<bool()>& stored) {
    switch (change.kind) {
        case Kind::write:
            return apply_sectors(change, store, stored);
        case Kind::resize:
            if (stored()) (void)store.resize(change.offset);
            return;
        case Kind::allocate:
            if (stored()) (void)store.allocate(change.offset, change.length);
            return;
        case Kind::flush:
            return;
    }
}

}  // namespace

void RecordingStore::for_each_crash(int subsets, std::mt19937_64& random,
                                    const std::function<void(MemoryStore&)>& body) const {
    const auto all = [] { return true; };
    MemoryStore stable = before_;
    for (std::size_t begin = 0; begin < changes_.size();) {
        std::size_t end = begin;
        MemoryStore prefix = stable;
        for (; end < changes_.size() && changes_[end].kind != Kind::flush; ++end) {
            apply(changes_[end], prefix, all);
            body(prefix);
        }
        for (int i = 0; i < subsets && end != begin; ++i) {
            MemoryStore state = stable;
            const unsigned percent = static_cast<unsigned>(random() % 101);
            const auto some = [&] { return random() % 100 < percent; };
            for (std::size_t c = begin; c < end; ++c) apply(changes_[c], state, some);
            body(state);
        }
        stable = prefix;
        begin = end + 1;
    }
}

Result<void> RecordingStore::write_at(std::uint64_t offset, std::span<const std::byte> data) {
    changes_.push_back({Kind::write, offset, data.size(), {data.begin(), data.end()}});
    return now_.write_at(offset, data);
}

Result<void> RecordingStore::resize(std::uint64_t bytes) {
    changes_.push_back({Kind::resize, bytes, 0, {}});
    return now_.resize(bytes);
}

Result<void> RecordingStore::allocate(std::uint64_t offset, std::uint64_t length) {
    changes_.push_back({Kind::allocate, offset, length, {}});
    return now_.allocate(offset, length);
}

Result<void> RecordingStore::flush() {
    changes_.push_back({Kind::flush, 0, 0, {}});
    return now_.flush();
}

}  // namespace sfg::test
