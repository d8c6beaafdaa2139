// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/random/history.hpp"

#include <libvirt/virterror.h>

#include <algorithm>
#include <cerrno>

#include "tests/integration/random/blocks.hpp"

namespace sfg::test::random {
namespace {

// From then on a failed call may have been left behind by its caller, who waits for a sign of life
// for so long (connect-timeout is more): it may have its way later.
constexpr std::chrono::seconds kLeftBehind{4};

bool changes_nothing(int code) {
    switch (code) {
        case VIR_ERR_RESOURCE_BUSY:
        case VIR_ERR_INVALID_ARG:
        case VIR_ERR_OPERATION_INVALID:
        case VIR_ERR_OPERATION_UNSUPPORTED:
        case VIR_ERR_ARGUMENT_UNSUPPORTED:
        case VIR_ERR_CONFIG_UNSUPPORTED:
        case VIR_ERR_NO_SUPPORT:
        case VIR_ERR_NO_STORAGE_POOL:
        case VIR_ERR_XML_ERROR:
        case VIR_ERR_XML_DETAIL:
            return true;
        default:
            return false;
    }
}

}  // namespace

std::string text_of(Verb verb) {
    switch (verb) {
        case Verb::create:
            return "vol-create";
        case Verb::clone:
            return "vol-clone";
        case Verb::erase:
            return "vol-delete";
        case Verb::upload:
            return "vol-upload";
        case Verb::wipe:
            return "vol-wipe";
        case Verb::resize:
            return "vol-resize";
        case Verb::download:
            return "vol-download";
        case Verb::info:
            return "vol-info";
        case Verb::refresh:
            return "pool-refresh";
        case Verb::start:
            return "pool-start";
        case Verb::fuse_create:
            return "qemu-img create";
        case Verb::fuse_remove:
            return "rm";
        case Verb::fuse_move:
            return "mv";
        case Verb::fuse_truncate:
            return "truncate";
        case Verb::fuse_write:
            return "write";
    }
    return "?";
}

bool is_of_fuse(Verb verb) {
    return verb >= Verb::fuse_create;
}

History::History(std::map<std::string, FileState> initial, std::vector<Operation> operations,
                 std::vector<Outage> outages)
    : initial_(std::move(initial)),
      operations_(std::move(operations)),
      outages_(std::move(outages)) {
    for (const auto& operation : operations_) {
        switch (operation.verb) {
            case Verb::fuse_create:
                add(operation.name, operation, Kind::make);
                // qemu-img that fails deletes what has the name by then, whoever made it.
                if (operation.code != 0) add(operation.name, operation, Kind::remove);
                break;
            case Verb::create:
            case Verb::clone:
                add(operation.name, operation, Kind::make);
                break;
            case Verb::erase:
            case Verb::fuse_remove:
                add(operation.name, operation, Kind::remove);
                break;
            case Verb::fuse_move:
                add(operation.name, operation, Kind::remove);
                add(operation.to, operation, Kind::make);
                break;
            case Verb::upload:
            case Verb::wipe:
            case Verb::resize:
            case Verb::fuse_truncate:
            case Verb::fuse_write:
                add(operation.name, operation, Kind::change);
                break;
            default:
                break;
        }
    }
}

void History::add(const std::string& name, const Operation& operation, Kind kind) {
    const Fate how = fate(operation);
    if (how == Fate::refused) return;
    // What streams goes on behind the call that fails; a move that failed may have left one file
    // with two names, and what happens to one of them happens to the other.
    const bool goes_on = how == Fate::unknown && (!operation.ended || operation.was_moving ||
                                                  operation.verb == Verb::fuse_move ||
                                                  operation.end - operation.begin > kLeftBehind);
    events_[name].push_back({&operation, kind, how == Fate::done, operation.begin,
                             goes_on ? Time::max() : operation.end});
}

bool History::calm(Time begin, Time end) const {
    return std::none_of(outages_.begin(), outages_.end(), [&](const Outage& outage) {
        return outage.begin <= end && begin <= outage.end;
    });
}

Fate History::fate(const Operation& operation) const {
    if (operation.nothing_asked) return Fate::refused;
    if (!operation.ended) return Fate::unknown;
    // A rename from one brick to the other is several steps of gluster's, and the old name, or both
    // or none, may be left when one of them is away, whatever is said.
    if (operation.verb == Verb::fuse_move && operation.code == 0)
        return calm(operation.begin, operation.end) ? Fate::done : Fate::unknown;
    if (operation.code == 0) return Fate::done;
    if (operation.was_moving) return Fate::unknown;
    // "Is not there" and "exists already" may be what a second attempt of the driver found, after
    // the first one's answer was lost with the brick.
    const bool is_calm = calm(operation.begin, operation.end);
    if (is_of_fuse(operation.verb)) {
        const bool says_no = operation.code == ENOENT || operation.code == EEXIST;
        return is_calm && says_no && operation.verb != Verb::fuse_create ? Fate::refused
                                                                         : Fate::unknown;
    }
    if (changes_nothing(operation.code)) return Fate::refused;
    // Of libvirt's own list, before it asks the driver for a clone.
    if (operation.code == VIR_ERR_INTERNAL_ERROR &&
        operation.message.find("already in use") != std::string::npos)
        return Fate::refused;
    if (!is_calm) return Fate::unknown;
    if (operation.code == VIR_ERR_STORAGE_VOL_EXIST) return Fate::refused;
    // A clone ends so, too, when it was made and its source cannot be looked at again.
    if (operation.code == VIR_ERR_NO_STORAGE_VOL && operation.verb != Verb::clone)
        return Fate::refused;
    return Fate::unknown;
}

const FileState& History::initial(const std::string& name) const {
    static const FileState nothing;
    const auto found = initial_.find(name);
    return found != initial_.end() ? found->second : nothing;
}

std::vector<const Operation*> History::changes(const std::string& name) const {
    std::vector<const Operation*> all;
    if (const auto found = events_.find(name); found != events_.end())
        for (const auto& event : found->second) all.push_back(event.operation);
    return all;
}

bool History::chain_untouched(const std::string& name) const {
    std::set<std::string> seen;
    for (std::string at = name; !at.empty(); at = initial(at).base.value_or("")) {
        if (!seen.insert(at).second || !untouched(at) || !initial(at).exists) return false;
        if (!initial(at).base) return false;
    }
    return true;
}

std::optional<FileState> History::state(const std::string& name, Time begin, Time end,
                                        const Operation* apart) const {
    const auto found = events_.find(name);
    if (found == events_.end()) return initial(name);
    std::vector<const Event*> before;
    Time last_sure = Time::min();
    for (const auto& event : found->second) {
        if (event.operation == apart || event.begin > end) continue;
        if (event.end >= begin) return std::nullopt;
        before.push_back(&event);
        if (event.sure) last_sure = std::max(last_sure, event.begin);
    }
    std::erase_if(before, [&](const Event* event) { return event->end < last_sure; });
    if (last_sure == Time::min())
        return before.empty() ? std::optional(initial(name)) : std::nullopt;
    if (before.size() != 1) return std::nullopt;
    return after(name, *before.front());
}

FileState History::after(const std::string& name, const Event& event) const {
    const Operation& operation = *event.operation;
    const auto earlier = [&](const std::string& of) {
        return state(of, operation.begin, operation.end, &operation).value_or(FileState());
    };
    FileState now;
    now.exists = event.kind != Kind::remove;
    switch (operation.verb) {
        case Verb::erase:
        case Verb::fuse_remove:
            break;
        case Verb::fuse_move:
            if (event.kind == Kind::make) {
                now = earlier(operation.name);
                now.exists = true;
                // A name of a base that is relative to another directory is another name.
                const auto directory = [](const std::string& path) {
                    return path.substr(0, path.rfind('/') + 1);
                };
                if (now.base != "" && directory(operation.name) != directory(operation.to)) {
                    now.base.reset();
                    now.block.reset();
                }
            }
            break;
        case Verb::create:
        case Verb::fuse_create:
            now.format = operation.format;
            now.base = operation.base;
            now.block = operation.base.empty() ? block_of_zeros() : earlier(operation.base).block;
            now.capacity =
                operation.base.empty() ? operation.capacity : earlier(operation.base).capacity;
            // An image has whole KiB, whatever its base has.
            if (now.capacity && *now.capacity % 1024 != 0) now.capacity.reset();
            break;
        case Verb::clone:
            now.format = operation.format;
            now.base = operation.base;
            now.block = earlier(operation.from).block;
            // Its capacity is the greater one of what the source has and what it had when this
            // libvirtd last listed it.
            break;
        case Verb::upload:
        case Verb::wipe:
        case Verb::fuse_write: {
            const FileState was = earlier(name);
            now.gfid = was.gfid;
            // What was an image is one no more when its first bytes are others.
            now.format = "raw";
            now.base = "";
            now.block = operation.block;
            if (was.format == "raw" && was.capacity)
                now.capacity = std::max<std::uint64_t>(*was.capacity, kBlock);
            break;
        }
        case Verb::resize:
        case Verb::fuse_truncate:
            now = earlier(name);
            now.exists = true;
            now.capacity = operation.capacity;
            if (operation.verb == Verb::fuse_truncate) now.format = "raw";  // it was looked at
            break;
        default:
            break;
    }
    // What is read through a base is as sure as that nobody has touched it.
    if (now.base != "" && (!now.base || !chain_untouched(*now.base))) now.block.reset();
    return now;
}

std::set<bool> History::may_exist(const std::string& name, Time begin, Time end) const {
    std::vector<const Event*> all;
    Time last_sure = Time::min();
    if (const auto found = events_.find(name); found != events_.end())
        for (const auto& event : found->second) {
            if (event.kind == Kind::change || event.begin > end) continue;
            all.push_back(&event);
            if (event.sure && event.end < begin) last_sure = std::max(last_sure, event.begin);
        }
    std::set<bool> answers;
    if (last_sure == Time::min()) answers.insert(initial(name).exists);
    for (const Event* event : all)
        if (event->end >= last_sure) answers.insert(event->kind == Kind::make);
    return answers;
}

bool History::fuse_interferes(const std::string& name, const Operation& operation) const {
    const Time begin = operation.before ? operation.before->begin : operation.begin;
    const Time end = operation.after ? operation.after->end : operation.end;
    const auto all = changes(name);
    return std::any_of(all.begin(), all.end(), [&](const Operation* change) {
        return is_of_fuse(change->verb) && change->begin <= end && begin <= change->end;
    });
}

}  // namespace sfg::test::random
