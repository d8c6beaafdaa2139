// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/random/judge.hpp"

#include <algorithm>
#include <set>

namespace sfg::test::random {
namespace {

std::string number_of(const Operation& operation) {
    return "#" + std::to_string(operation.number);
}

}  // namespace

std::vector<Finding> Judge::findings() {
    bases_were_spared();
    looks_agree();
    files_are_what_was_told();
    overlays_have_their_bases();
    deleted_is_deleted();
    nothing_else_is_there();
    images_are_sound();
    reads_were_right();
    lists_were_right();
    return std::move(findings_);
}

void Judge::files_are_what_was_told() {
    std::set<std::string> names;
    for (const auto& [name, seen] : before_.files) names.insert(name);
    for (const auto& [name, seen] : after_.files) names.insert(name);
    for (const auto& operation : history_.operations()) {
        names.insert(operation.name);
        names.insert(operation.to);
    }
    for (const auto& name : names) {
        if (name.empty() || !made_into(name).empty()) continue;
        const auto seen = after_.files.find(name);
        agree(name,
              {Clock::now(),
               Clock::now(),
               seen != after_.files.end() ? seen->second.state : FileState(),
               {}},
              "in the end");
    }
}

void Judge::looks_agree() {
    for (const auto& operation : history_.operations()) {
        const std::string number = number_of(operation);
        if (operation.before) agree(operation.name, *operation.before, "before " + number);
        if (operation.after) agree(operation.name, *operation.after, "after " + number);
    }
}

void Judge::agree(const std::string& name, const Look& look, const std::string& when) {
    const bool exists = look.state.exists;
    if (!history_.may_exist(name, look.begin, look.end).contains(exists)) {
        if (exists)
            found("back", when + " " + name + " is there, and it was deleted or never made",
                  {name});
        else
            found("lost", when + " " + name + " is gone, and nobody can have removed it", {name});
        return;
    }
    const auto wanted = history_.state(name, look.begin, look.end);
    if (wanted && wanted->exists && exists) contents(name, *wanted, look.state, when);
}

void Judge::contents(const std::string& name, const FileState& wanted, const FileState& found_now,
                     const std::string& when) {
    const auto differs = [](const auto& want, const auto& got) { return want && got != want; };
    const auto say = [&](const std::string& what, const std::string& want, const std::string& got) {
        found(
            "changed",
            when + " " + name + " has the " + what + " '" + got + "' where '" + want + "' is right",
            {name});
    };
    const auto number = [](const std::optional<std::uint64_t>& value) {
        return value ? std::to_string(*value) : "?";
    };
    if (differs(wanted.gfid, found_now.gfid))
        say("gfid", *wanted.gfid, found_now.gfid.value_or("?"));
    if (differs(wanted.format, found_now.format))
        say("format", *wanted.format, found_now.format.value_or("?"));
    if (differs(wanted.base, found_now.base))
        say("base", *wanted.base, found_now.base.value_or("?"));
    if (differs(wanted.capacity, found_now.capacity))
        say("capacity", number(wanted.capacity), number(found_now.capacity));
    // What is read through a base changes with it.
    const bool by_itself =
        wanted.base == "" || (wanted.base && history_.chain_untouched(*wanted.base));
    // A damaged image has no block to compare: that is said elsewhere.
    if (by_itself && found_now.block && differs(wanted.block, found_now.block))
        say("block", *wanted.block, *found_now.block);
}

// The call itself is what was wrong, whatever became of it afterwards.
void Judge::bases_were_spared() {
    for (const auto& operation : history_.operations()) {
        if (is_of_fuse(operation.verb) || history_.fate(operation) != Fate::done) continue;
        if (!operation.before || !operation.after) continue;
        const bool takes_all = operation.verb == Verb::erase || operation.verb == Verb::upload ||
                               operation.verb == Verb::wipe;
        std::optional<std::uint64_t> cut_to;
        if (operation.verb == Verb::resize) {
            const auto& was = operation.before->state.capacity;
            if (was && *was > *operation.capacity) cut_to = operation.capacity;
        }
        if (!takes_all && !cut_to) continue;
        if (history_.fuse_interferes(operation.name, operation)) continue;
        for (const auto& [overlay, state] : operation.before->overlays) {
            // The same file with the same base on both sides was so in between.
            const auto after = operation.after->overlays.find(overlay);
            if (after == operation.after->overlays.end() || after->second.gfid != state.gfid)
                continue;
            if (overlay == operation.name || (cut_to && *state.capacity <= *cut_to)) continue;
            found("base-" + text_of(operation.verb),
                  number_of(operation) + " was done to " + operation.name +
                      ", which was the base of " + overlay + " all the time",
                  {operation.name, overlay});
        }
    }
}

// FUSE asks nobody: what it has done to a base, or made on one that was being deleted, is not the
// driver's doing.
bool Judge::base_went_by_fuse(const std::string& overlay, const std::string& base) const {
    for (const Operation* change : history_.changes(base))
        if (change->verb == Verb::fuse_remove || change->verb == Verb::fuse_move ||
            (change->verb == Verb::fuse_create && change->code != 0))
            return true;
    for (const Operation* made : history_.changes(overlay)) {
        if (made->verb == Verb::fuse_move) return true;
        if (made->verb != Verb::fuse_create) continue;
        for (const Operation* change : history_.changes(base))
            if (change->verb == Verb::erase && overlap(*made, *change)) return true;
    }
    return false;
}

void Judge::overlays_have_their_bases() {
    for (const auto& [name, seen] : after_.files) {
        const std::string base = seen.state.base.value_or("");
        if (base.empty()) continue;
        if (!is_there(base)) {
            // What had lost it before was told before.
            const auto was = before_.files.find(name);
            const bool as_before = was != before_.files.end() && was->second.state.base == base &&
                                   !before_.files.contains(base);
            if (!as_before && !base_went_by_fuse(name, base))
                found("no-base", name + " is an overlay of " + base + ", which is not there",
                      {name, base});
            continue;
        }
        const auto was = before_.files.find(base);
        const FileState& first = history_.initial(name);
        if (was == before_.files.end() || !history_.untouched(name) || first.base != base) continue;
        if (was->second.state.gfid != after_.files.at(base).state.gfid &&
            !base_went_by_fuse(name, base))
            found("other-base",
                  name + " is an overlay of " + base + ", which is another file than it was",
                  {name, base});
    }
}

void Judge::deleted_is_deleted() {
    for (const auto& operation : history_.operations()) {
        if (operation.verb != Verb::erase || history_.fate(operation) != Fate::done ||
            !operation.before->state.exists)
            continue;
        // Who moves it away at that moment keeps it.
        if (history_.fuse_interferes(operation.name, operation)) continue;
        for (const auto& [name, seen] : after_.files)
            if (seen.state.gfid == operation.before->state.gfid && made_into(name).empty())
                found("back", name + " is the file that " + number_of(operation) + " has deleted",
                      {name, operation.name});
    }
}

void Judge::nothing_else_is_there() {
    for (const auto& name : after_.others) found("stray", name + " is there", {});
    for (const auto& name : after_.twice)
        found("twice", name + " is there twice, on both bricks", {name});
    for (const auto& [name, seen] : after_.files) {
        const std::string wanted = made_into(name);
        if (wanted.empty()) continue;  // who made it was asked with the others
        // Work that a brick took down with it leaves such a file; nothing else does.
        const auto changes = history_.changes(wanted);
        if (std::none_of(changes.begin(), changes.end(), [&](const Operation* change) {
                return (change->verb == Verb::create || change->verb == Verb::clone) &&
                       !history_.calm(change->begin, change->end);
            }))
            found("temporary", name + " is left, and no work on " + wanted + " was cut off",
                  {wanted});
    }
}

void Judge::images_are_sound() {
    for (const auto& [name, seen] : after_.files) {
        if (seen.damage.empty()) continue;
        const auto was = before_.files.find(name);
        if (was != before_.files.end() && !was->second.damage.empty()) continue;
        // Who works on FUSE, and what was cut off while it overwrote, may leave half an image; a
        // creation or a resize that was cut off may leave clusters that nobody uses.
        bool excused = false;
        for (const Operation* change : history_.changes(name)) {
            if (history_.fate(*change) == Fate::done && !is_of_fuse(change->verb)) continue;
            excused = excused || seen.only_leaks || is_of_fuse(change->verb) ||
                      change->verb == Verb::upload || change->verb == Verb::wipe;
        }
        if (!excused) found("damaged", name + ": " + seen.damage, {name});
    }
}

// libvirt lists a volume that it is asked to make from the beginning on, and does not ask the
// driver about it until it is made, or is not.
bool Judge::is_being_made_here(const std::string& name, const Operation& asking) const {
    const auto& all = history_.operations();
    return std::any_of(all.begin(), all.end(), [&](const Operation& one) {
        return one.name == name && one.host == asking.host &&
               (one.verb == Verb::create || one.verb == Verb::clone) && overlap(one, asking);
    });
}

void Judge::reads_were_right() {
    for (const auto& operation : history_.operations()) {
        if (!operation.done() || (operation.read.empty() && !operation.told)) continue;
        const auto state = history_.state(operation.name, operation.begin, operation.end);
        if (!state) continue;
        if (!state->exists) {
            found("read",
                  number_of(operation) + " read " + operation.name + ", which was not there",
                  {operation.name});
            continue;
        }
        if (!operation.read.empty() && state->format == "raw" && state->block &&
            *state->block != operation.read)
            found("read",
                  number_of(operation) + " read " + operation.read + " where " + *state->block +
                      " was written",
                  {operation.name});
        if (operation.told && state->capacity && *state->capacity != *operation.told &&
            !is_being_made_here(operation.name, operation))
            found("read",
                  number_of(operation) + " told a capacity of " + std::to_string(*operation.told) +
                      " where it is " + std::to_string(*state->capacity),
                  {operation.name});
    }
}

// Since then it was there all the time.
bool Judge::was_listed_before(const std::string& name, const Operation& refresh) const {
    const auto& all = history_.operations();
    // A pool that was started anew knows nothing from before.
    if (std::any_of(all.begin(), all.end(), [&](const Operation& other) {
            return other.host == refresh.host && other.verb == Verb::start;
        }))
        return false;
    return std::any_of(all.begin(), all.end(), [&](const Operation& earlier) {
        if (earlier.verb != Verb::refresh || !earlier.done() || earlier.host != refresh.host ||
            earlier.text != refresh.text || earlier.end >= refresh.begin)
            return false;
        const auto short_name = name.substr(refresh.listed_below.size());
        if (std::find(earlier.listed.begin(), earlier.listed.end(), short_name) ==
            earlier.listed.end())
            return false;
        const auto state = history_.state(name, earlier.begin, refresh.end);
        return state && state->exists;
    });
}

void Judge::lists_were_right() {
    for (const auto& operation : history_.operations()) {
        if (operation.verb != Verb::refresh || !operation.done()) continue;
        // Other refreshes of this libvirtd, which each upload ends with, may fail just then and
        // leave the pool stopped and its list empty.
        const auto& all = history_.operations();
        if (std::any_of(all.begin(), all.end(), [&](const Operation& other) {
                return other.number != operation.number && other.host == operation.host &&
                       (other.verb == Verb::refresh || other.verb == Verb::upload ||
                        other.verb == Verb::start) &&
                       overlap(other, operation);
            }))
            continue;
        const bool is_calm = history_.calm(operation.begin, operation.end);
        std::set<std::string> listed;
        for (const auto& name : operation.listed) listed.insert(operation.listed_below + name);
        std::set<std::string> names;
        for (const auto& [name, seen] : before_.files) names.insert(name);
        for (const auto& other : all) names.insert(other.name);
        for (const auto& name : names) {
            if (name.empty() || !name.starts_with(operation.listed_below)) continue;
            const auto state = history_.state(name, operation.begin, operation.end);
            if (!state || state->exists == listed.contains(name)) continue;
            if (is_being_made_here(name, operation)) continue;
            if (is_calm)
                found("list",
                      number_of(operation) + (state->exists ? " does not list " : " lists ") + name,
                      {name});
            else if (state->exists && was_listed_before(name, operation))
                found("forgotten",
                      number_of(operation) + ", while a brick was away, has lost " + name +
                          ", which was listed before",
                      {name});
        }
    }
}

}  // namespace sfg::test::random
