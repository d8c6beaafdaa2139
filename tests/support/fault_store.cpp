// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/fault_store.hpp"

#include <algorithm>
#include <utility>

namespace sfg::test {

std::size_t FaultStore::count(Call call) const {
    return static_cast<std::size_t>(std::count_if(
        log_.begin(), log_.end(), [call](const Entry& entry) { return entry.call == call; }));
}

void FaultStore::crash(const std::function<bool(std::size_t)>& survives) {
    for (std::size_t i = 0; i < pending_.size(); ++i)
        if (survives && survives(i)) (void)pending_[i](stable_);
    pending_.clear();
    now_ = stable_;
}

Result<void> FaultStore::enter(Call call, std::uint64_t offset, std::uint64_t length) {
    const std::lock_guard held(mutex_);
    const std::size_t number = log_.size();
    log_.push_back({call, offset, length});
    const bool this_one = faults_.fail_call && number == *faults_.fail_call;
    const bool later = faults_.fail_call && faults_.stay_dead && number > *faults_.fail_call;
    if (this_one || later || faults_.fail_kind == call) return faults_.error;
    return {};
}

Result<void> FaultStore::change(Change change) {
    const std::lock_guard held(mutex_);
    SFG_TRY(change(now_));
    pending_.push_back(std::move(change));
    return {};
}

Result<std::size_t> FaultStore::read_at(std::uint64_t offset, std::span<std::byte> buffer) {
    SFG_TRY(enter(Call::read, offset, buffer.size()));
    return now_.read_at(offset, buffer.first(std::min(buffer.size(), faults_.max_read)));
}

Result<void> FaultStore::write_at(std::uint64_t offset, std::span<const std::byte> data) {
    auto entered = enter(Call::write, offset, data.size());
    if (!entered && faults_.torn_writes) data = data.first(data.size() / 2);
    if (!entered && !faults_.torn_writes) return entered;
    std::vector<std::byte> copy(data.begin(), data.end());
    SFG_TRY(change([offset, copy = std::move(copy)](MemoryStore& store) {
        return store.write_at(offset, copy);
    }));
    return entered;
}

Result<std::uint64_t> FaultStore::size() {
    SFG_TRY(enter(Call::size, 0, 0));
    return now_.size();
}

Result<void> FaultStore::resize(std::uint64_t bytes) {
    SFG_TRY(enter(Call::resize, bytes, 0));
    return change([bytes](MemoryStore& store) { return store.resize(bytes); });
}

Result<void> FaultStore::allocate(std::uint64_t offset, std::uint64_t length) {
    SFG_TRY(enter(Call::allocate, offset, length));
    return change([offset, length](MemoryStore& store) { return store.allocate(offset, length); });
}

Result<void> FaultStore::flush() {
    SFG_TRY(enter(Call::flush, 0, 0));
    const std::lock_guard held(mutex_);
    stable_ = now_;
    pending_.clear();
    return {};
}

Result<std::optional<Extent>> FaultStore::find_data(std::uint64_t from) {
    SFG_TRY(enter(Call::find_data, from, 0));
    return now_.find_data(from);
}

Result<void> FaultStore::discard(std::uint64_t offset, std::uint64_t length) {
    SFG_TRY(enter(Call::discard, offset, length));
    return change([offset, length](MemoryStore& store) { return store.discard(offset, length); });
}

}  // namespace sfg::test
