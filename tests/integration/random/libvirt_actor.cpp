// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/random/libvirt_actor.hpp"

#include <thread>

#include "tests/integration/random/blocks.hpp"
#include "tests/integration/random/bricks.hpp"
#include "tests/support/stream_client.hpp"

namespace sfg::test::random {
namespace {

constexpr std::uint64_t kStep = 512 * kKiB;

std::uint64_t any_capacity(Dice& dice) {
    return (1 + dice.roll(8)) * kStep;
}

// What a base must not lose.
bool takes_something(Verb verb) {
    return verb == Verb::erase || verb == Verb::upload || verb == Verb::wipe ||
           verb == Verb::resize;
}

}  // namespace

LibvirtActor::LibvirtActor(const Playground& ground, Journal& journal, const std::string& uri,
                           int host, int number, std::uint64_t seed)
    : ground_(ground),
      journal_(journal),
      host_(host),
      who_("host" + std::to_string(host) + "/" + std::to_string(number)),
      client_(uri),
      dice_(seed, static_cast<std::uint64_t>(host * 10 + number)) {}

void LibvirtActor::work_until(Time deadline) {
    while (Clock::now() < deadline) {
        step();
        // Where somebody works on each name at each moment little is sure, and where nobody ever
        // waits nothing stands for long enough to be lost.
        if (dice_.one_in(2))
            std::this_thread::sleep_for(std::chrono::milliseconds(dice_.roll(200)));
    }
}

void LibvirtActor::step() {
    dice_.next_step();
    const auto roll = dice_.roll(34);
    // What takes something away is tried on bases above all.
    const Wish loses = dice_.one_in(2) ? Wish::a_base : Wish::there;
    if (roll < 4) return create(any_name(Wish::not_there));
    if (roll < 11) return overlay(any_name(Wish::not_there));
    if (roll < 15) return clone(any_name(dice_.one_in(2) ? Wish::there : Wish::not_there));
    if (roll < 19) return resize(any_name(loses));
    if (roll < 22) return upload(any_name(loses));
    if (roll < 24) return download(any_name(Wish::there));
    if (roll < 26) return wipe(any_name(loses));
    if (roll < 30) return erase(any_name(loses));
    if (roll < 32) return info(any_name(Wish::there));
    return refresh(dice_.one_in(2));
}

std::string LibvirtActor::any_name(Wish wish) {
    const std::size_t start = dice_.roll(ground_.names().size());
    return fitting_name(ground_, dice_.one_in(3) ? Wish::anything : wish, start);
}

Operation LibvirtActor::operation(Verb verb, const std::string& name) const {
    Operation one;
    one.who = who_;
    one.host = host_;
    one.verb = verb;
    one.name = name;
    return one;
}

Pool LibvirtActor::pool(bool inner) const {
    auto found = client_.pool(inner ? Playground::kInner : Playground::kOuter);
    if (!found) throw std::runtime_error(who_ + ": no pool: " + found.refusal.message);
    return *found;
}

LibvirtActor::Place LibvirtActor::place(const std::string& name) {
    const bool inner = is_in_sub(name) && dice_.one_in(2);
    return {pool(inner), inner, inner ? below_sub(name) : name};
}

std::string LibvirtActor::name_of_base(const Place& place, const std::string& base) {
    if (dice_.one_in(3)) return ground_.uri(base);
    if (!place.inner) return base;
    return is_in_sub(base) ? below_sub(base) : ground_.uri(base);
}

void LibvirtActor::begin(Operation& operation) {
    operation.before = look_at(ground_, operation.name, takes_something(operation.verb));
    journal_.begin(operation);
}

void LibvirtActor::ended(Operation& operation, const Refusal& refusal) {
    operation.code = refusal.code;
    operation.message = refusal.message;
    operation.end = Clock::now();
    if (!operation.name.empty() && !operation.nothing_asked)
        operation.after = look_at(ground_, operation.name, takes_something(operation.verb));
    journal_.end(operation);
    // Its list is old.
    if (operation.nothing_asked && dice_.one_in(3)) refresh(dice_.one_in(2));
    if (refusal.code == VIR_ERR_OPERATION_INVALID &&
        refusal.message.find("is not active") != std::string::npos) {
        // A refresh while gluster did not answer has stopped it.
        const bool inner = refusal.message.find(Playground::kInner) != std::string::npos;
        Operation starting = this->operation(Verb::start, "");
        starting.text = inner ? Playground::kInner : Playground::kOuter;
        journal_.begin(starting);
        const Refusal started = pool(inner).start();
        starting.code = started.code;
        starting.message = started.message;
        journal_.end(starting);
    }
}

template <typename Call>
void LibvirtActor::with_volume(Operation operation, const Place& place, Call call) {
    operation.text = place.pool.name() + " " + place.name + " " + operation.text;
    begin(operation);
    const auto volume = place.pool.volume(place.name);
    if (!volume) {
        operation.nothing_asked = true;
        return ended(operation, volume.refusal);
    }
    ended(operation, call(operation, *volume));
}

void LibvirtActor::create(const std::string& name) {
    const Place where = place(name);
    Operation making = operation(Verb::create, name);
    making.format = dice_.one_in(2) ? "raw" : "qcow2";
    making.capacity = any_capacity(dice_);
    making.text = where.pool.name() + " " + where.name + " " + making.format;
    VolumeSpec spec = raw(where.name, *making.capacity);
    spec.format = making.format;
    begin(making);
    ended(making, where.pool.create(spec).refusal);
}

void LibvirtActor::overlay(const std::string& name) {
    const std::string base = any_name(Wish::there);
    const Place where = place(name);
    Operation making = operation(Verb::create, name);
    making.format = "qcow2";
    making.base = base;
    VolumeSpec spec = test::overlay(where.name, name_of_base(where, base),
                                    peek(ground_, base).format.value_or("raw"));
    making.text =
        where.pool.name() + " " + where.name + " on " + spec.backing + " " + spec.backing_format;
    begin(making);
    ended(making, where.pool.create(spec).refusal);
}

void LibvirtActor::clone(const std::string& name) {
    const std::string from = any_name(Wish::there);
    const Place where = place(name);
    const Place source = place(from);
    const FileState was = peek(ground_, from);
    Operation making = operation(Verb::clone, name);
    making.from = from;
    making.format = was.format.value_or("raw");
    VolumeSpec spec = raw(where.name);
    spec.capacity.reset();
    spec.allocation.reset();
    // What virsh vol-clone does, or one file of the whole chain, which takes qemu-img.
    const bool keeps_base = was.base && !was.base->empty() && !dice_.one_in(3);
    if (keeps_base) {
        making.base = *was.base;
        spec.backing = name_of_base(where, *was.base);
        spec.backing_format = peek(ground_, *was.base).format.value_or("raw");
    } else if (making.format == "qcow2" && dice_.one_in(2)) {
        making.format = "raw";
    }
    spec.format = making.format;
    making.text = where.pool.name() + " " + where.name + " " + making.format +
                  (spec.backing.empty() ? "" : " on " + spec.backing) + " from " +
                  source.pool.name() + " " + source.name;
    begin(making);
    const auto volume = source.pool.volume(source.name);
    if (!volume) {
        making.nothing_asked = true;
        return ended(making, volume.refusal);
    }
    ended(making, where.pool.clone(spec, *volume).refusal);
}

void LibvirtActor::resize(const std::string& name) {
    Operation resizing = operation(Verb::resize, name);
    resizing.capacity = any_capacity(dice_);
    const unsigned flags = dice_.one_in(2) ? VIR_STORAGE_VOL_RESIZE_SHRINK : 0;
    resizing.text = "to " + std::to_string(*resizing.capacity) + (flags != 0 ? " shrink" : "");
    with_volume(resizing, place(name), [&](Operation& asked, const Volume& volume) {
        return test::resize(volume, *asked.capacity, flags);
    });
}

void LibvirtActor::wipe(const std::string& name) {
    Operation wiping = operation(Verb::wipe, name);
    wiping.block = block_of_zeros();
    with_volume(wiping, place(name),
                [](Operation&, const Volume& volume) { return test::wipe(volume); });
}

void LibvirtActor::erase(const std::string& name) {
    with_volume(operation(Verb::erase, name), place(name),
                [](Operation&, const Volume& volume) { return volume.erase(); });
}

void LibvirtActor::info(const std::string& name) {
    with_volume(operation(Verb::info, name), place(name),
                [](Operation& asked, const Volume& volume) {
                    const auto info = volume.info();
                    if (info) asked.told = info->capacity;
                    return info.refusal;
                });
}

void LibvirtActor::upload(const std::string& name) {
    Operation sending = operation(Verb::upload, name);
    with_volume(sending, place(name), [&](Operation& asked, const Volume& volume) -> Refusal {
        const std::string bytes = block_bytes(asked.number);
        asked.block = block_name(bytes);
        const auto stream = begin_upload(volume);
        if (!stream) return stream.refusal;
        Refusal refusal = stream->send(bytes);
        if (refusal.code != VIR_ERR_OK)
            stream->abort();
        else
            refusal = stream->finish();
        asked.was_moving = refusal.code != VIR_ERR_OK;
        return refusal;
    });
}

void LibvirtActor::download(const std::string& name) {
    with_volume(operation(Verb::download, name), place(name),
                [](Operation& asked, const Volume& volume) {
                    const auto bytes = test::download(volume);
                    if (bytes) asked.read = block_name(*bytes);
                    return bytes.refusal;
                });
}

void LibvirtActor::refresh(bool inner) {
    Operation refreshing = operation(Verb::refresh, "");
    const Pool refreshed = pool(inner);
    refreshing.text = refreshed.name();
    refreshing.listed_below = inner ? "sub/" : "";
    journal_.begin(refreshing);
    const Refusal refusal = refreshed.refresh();
    if (refusal.code == VIR_ERR_OK) refreshing.listed = refreshed.volume_names();
    ended(refreshing, refusal);
}

}  // namespace sfg::test::random
