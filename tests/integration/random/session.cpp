// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/integration/random/session.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <thread>

namespace sfg::test::random {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr int kHosts = 2;
constexpr int kClients = 2;           // of each host
constexpr seconds kLongestCall{150};  // then something hangs
constexpr int kToldOfARule = 2;

std::string environment(const char* name, const std::string& otherwise) {
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

// As a host that caches nothing has it: what libvirtd writes over gfapi is to be seen as it is.
std::string mount_directly(Lab& lab) {
    const std::string where = "/srv/it/random";
    const Ran mounted = lab.on_host(
        1, "mkdir -p " + where + " && { mountpoint -q " + where +
               " || glusterfs --attribute-timeout=0 --entry-timeout=0 --negative-timeout=0"
               " --direct-io-mode=enable --xlator-option='*-md-cache.md-cache-timeout=0'"
               " --xlator-option='*-quick-read.cache-timeout=0' --process-name fuse"
               " --volfile-server=" +
               lab.gluster_host() + " --volfile-id=/" + lab.volume() + ' ' + where + "; }");
    if (!mounted.ok()) throw std::runtime_error("cannot mount: " + mounted.output);
    return where;
}

Playground make_playground(Lab& lab) {
    Playground ground;
    ground.volume = lab.volume();
    ground.gluster_host = lab.gluster_host();
    ground.directory = "/random";
    ground.bricks = {lab.path("NODE1_BRICK1"), lab.path("NODE1_BRICK2")};
    ground.scratch = lab.scratch() + "/random";
    ground.fuse = mount_directly(lab) + ground.directory;
    fs::create_directories(ground.scratch);
    fs::remove_all(ground.fuse);
    fs::create_directories(ground.fuse + "/" + Playground::kSub);
    return ground;
}

bool same(const Snapshot& one, const Snapshot& other) {
    const auto key = [](const Snapshot& snapshot) {
        std::string text;
        for (const auto& [name, seen] : snapshot.files)
            text += name + *seen.state.gfid + seen.state.block.value_or("?") +
                    std::to_string(*seen.state.capacity) + "\n";
        return text;
    };
    return key(one) == key(other);
}

}  // namespace

Session::Session(std::uint64_t seed)
    : lab_(Lab::instance()),
      ground_(make_playground(lab_)),
      journal_(environment("SFG_RANDOM_LOG", ground_.scratch + "/random.log")) {
    for (int host = 1; host <= kHosts; ++host) {
        const std::string uri = lab_.path("LIBVIRT_URI", host);
        pids_[host] = lab_.path("LIBVIRTD_PID", host);
        const Client& client = clients_.emplace(host, Client(uri)).first->second;
        for (const bool inner : {false, true}) {
            client.forget(ground_.pool(inner).name);
            const auto defined = client.define(ground_.pool(inner));
            if (!defined) throw std::runtime_error(defined.refusal.message);
            if (const Refusal refusal = defined->start(); refusal.code != VIR_ERR_OK)
                throw std::runtime_error(refusal.message);
        }
        for (int number = 0; number < kClients; ++number)
            actors_.push_back(
                std::make_unique<LibvirtActor>(ground_, journal_, uri, host, number, seed));
    }
    fuse_ = std::make_unique<FuseActor>(ground_, journal_, seed);
    breaker_ = std::make_unique<BrickBreaker>(lab_, journal_, ground_.bricks.size(), seed);
    before_ = look(ground_);
}

Session::~Session() {
    for (const auto& [host, client] : clients_) {
        client.forget(Playground::kInner);
        client.forget(Playground::kOuter);
    }
    if (!rules_.empty()) return;  // for whoever looks
    std::error_code ignored;
    fs::remove_all(ground_.fuse, ignored);
}

void Session::work(Time deadline, bool with_outages) {
    std::atomic<int> at_work{0};
    std::vector<std::thread> threads;
    const auto begin = [&](auto& actor) {
        ++at_work;
        threads.emplace_back([&] {
            try {
                actor.work_until(deadline);
            } catch (const std::exception& failed) {
                journal_.note(std::string("a thread gave up: ") + failed.what());
            }
            --at_work;
        });
    };
    for (auto& actor : actors_) begin(*actor);
    begin(*fuse_);
    if (with_outages) begin(*breaker_);
    while (at_work > 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        if (journal_.oldest() < kLongestCall) continue;
        // Nothing can be told of what such a call does later, and it cannot be ended.
        std::fprintf(stderr, "a call has been going on for %lld s:\n%s",
                     static_cast<long long>(journal_.oldest().count()), journal_.tail(200).c_str());
        std::_Exit(1);
    }
    for (auto& thread : threads) thread.join();
}

Snapshot Session::quiet_look() {
    if (!comes_true([&] { return breaker_->all_are_reached(); }, seconds(60)))
        find({{"outage", "60 s after the last brick came back not every client has found it", {}}},
             {});
    Snapshot now = look(ground_);
    for (int i = 0; i < 20; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        Snapshot next = look(ground_);
        const bool still = same(now, next);
        now = std::move(next);
        if (still) break;
    }
    return now;
}

void Session::play(std::chrono::milliseconds length, bool with_outages) {
    ++round_;
    journal_.note("round " + std::to_string(round_) + (with_outages ? " with outages" : ""));
    const Time begin = Clock::now();
    work(begin + length, with_outages);
    worked_ += Clock::now() - begin;
    const Snapshot after = quiet_look();
    const std::vector<Operation> operations = journal_.take();
    const History history(before_.states(), operations, breaker_->take_outages());
    count(operations);
    find(Judge(history, before_, after).findings(), operations);
    tidy(after);
    before_ = look(ground_);
    daemons_agree_with(before_);
    works_again();
}

void Session::find(const std::vector<Finding>& findings, const std::vector<Operation>& operations) {
    std::set<std::string> wrong;
    for (const auto& finding : findings) {
        // What the model thinks of a name that is not what it should be is wrong from then on.
        if (!finding.names.empty() && !wrong.insert(finding.names.front()).second) continue;
        const std::string line =
            "round " + std::to_string(round_) + ", " + finding.rule + ": " + finding.text;
        journal_.note("FINDING " + line);
        if (++rules_[finding.rule] > kToldOfARule) continue;
        told_ += line + "\n";
        for (const auto& name : finding.names) {
            if (const auto was = before_.files.find(name); was != before_.files.end())
                told_ += "    " + name + " was " + *was->second.state.gfid + " " +
                         *was->second.state.format + " on '" + *was->second.state.base + "'\n";
        }
        for (const auto& one : operations)
            if (!one.nothing_asked &&
                std::any_of(finding.names.begin(), finding.names.end(),
                            [&](const auto& name) { return one.name == name || one.to == name; }))
                told_ += "    " + journal_.line_of(one) + "\n";
    }
}

void Session::tidy(const Snapshot& snapshot) {
    std::set<std::string> gone;
    for (const auto& [name, seen] : snapshot.files) {
        const std::string base = seen.state.base.value_or("");
        const bool broken = !base.empty() && !snapshot.files.contains(base);
        if (broken || !seen.damage.empty() || seen.links != 1 || !made_into(name).empty())
            gone.insert(name);
    }
    for (const auto& name : snapshot.twice) gone.insert(name);
    // What needs them goes as well, whatever it needs them for.
    for (std::size_t before = 0; before != gone.size();) {
        before = gone.size();
        for (const auto& [name, seen] : snapshot.files)
            if (gone.contains(seen.state.base.value_or(""))) gone.insert(name);
    }
    for (const auto& name : gone) {
        std::error_code failed;
        fs::remove(ground_.on_fuse(name), failed);
        journal_.note("put away " + name + (failed ? ": " + failed.message() : ""));
    }
}

std::string Session::disagreement(int host, bool inner, const Snapshot& snapshot) {
    auto pool = clients_.at(host).pool(ground_.pool(inner).name);
    if (!pool) return pool.refusal.message;
    if (!pool->is_active())
        if (const Refusal refusal = pool->start(); refusal.code != VIR_ERR_OK)
            return "start: " + refusal.message;
    if (const Refusal refusal = pool->refresh(); refusal.code != VIR_ERR_OK)
        return "refresh: " + refusal.message;
    std::map<std::string, std::uint64_t> wanted;
    for (const auto& [name, seen] : snapshot.files)
        if (made_into(name).empty() && (!inner || is_in_sub(name)))
            wanted[inner ? below_sub(name) : name] = *seen.state.capacity;
    std::map<std::string, std::uint64_t> got;
    std::string text;
    for (const auto& name : pool->volume_names()) {
        if (!inner && name == Playground::kSub) continue;
        const auto volume = pool->volume(name);
        const auto info = volume ? volume->info() : Answer<virStorageVolInfo>{{}, volume.refusal};
        if (!info) text += name + ": " + info.refusal.message + "; ";
        got[name] = info ? info->capacity : 0;
    }
    if (got == wanted) return "";
    for (const auto& [name, capacity] : got)
        text += "lists " + name + " " + std::to_string(capacity) + "; ";
    for (const auto& [name, capacity] : wanted) {
        text += "right is " + name + " " + std::to_string(capacity) + "; ";
        if (!got.contains(name))
            text += everywhere(ground_, inner ? std::string(Playground::kSub) + "/" + name : name) +
                    "; ";
    }
    return text;
}

void Session::daemons_agree_with(const Snapshot& snapshot) {
    for (int host = 1; host <= kHosts; ++host) {
        if (lab_.path("LIBVIRTD_PID", host) != pids_[host] || !clients_.at(host).is_alive())
            find({{"daemon",
                   "libvirtd of host " + std::to_string(host) + " is another one, or none",
                   {}}},
                 {});
        for (const bool inner : {false, true}) {
            std::string wrong;
            // The connection may be on its way back.
            if (!comes_true([&] { return (wrong = disagreement(host, inner, snapshot)).empty(); },
                            seconds(20)))
                find({{"agree",
                       "host " + std::to_string(host) + ", pool " + ground_.pool(inner).name +
                           ": " + wrong,
                       {}}},
                     {});
        }
    }
}

void Session::works_again() {
    for (int host = 1; host <= kHosts; ++host) {
        const auto pool = clients_.at(host).pool(Playground::kOuter);
        for (int i = 0; pool && i < 4; ++i) {
            const std::string name = "probe-" + std::to_string(host) + "-" + std::to_string(i);
            const auto made = pool->create(raw(name));
            const Refusal refusal = made ? made->erase() : made.refusal;
            if (refusal.code == VIR_ERR_OK) continue;
            find({{"probe",
                   "all bricks are back, and host " + std::to_string(host) +
                       " cannot make and delete " + name + ": " + refusal.message,
                   {}}},
                 {});
            std::error_code ignored;
            fs::remove(ground_.on_fuse(name), ignored);
        }
    }
}

void Session::count(const std::vector<Operation>& operations) {
    for (const auto& one : operations) {
        std::string outcome = "done";
        if (one.nothing_asked)
            outcome = "no such file";
        else if (one.code != 0)
            outcome = is_of_fuse(one.verb) ? "errno " + std::to_string(one.code)
                                           : "error " + std::to_string(one.code);
        ++outcomes_[text_of(one.verb)][outcome];
    }
}

std::string Session::report() const {
    if (rules_.empty()) return "";
    std::string text = "findings by rule:";
    for (const auto& [rule, count] : rules_) text += " " + rule + " " + std::to_string(count);
    return text + "\n" + told_ + "the end of the log:\n" + journal_.tail(60);
}

std::string Session::statistics() const {
    int calls = 0;
    std::string text;
    for (const auto& [verb, outcomes] : outcomes_) {
        text += "  " + verb + ":";
        for (const auto& [outcome, count] : outcomes) {
            text += " " + outcome + " " + std::to_string(count) + ",";
            calls += count;
        }
        text.back() = '\n';
    }
    const double minutes = std::chrono::duration<double>(worked_).count() / 60;
    return std::to_string(calls) + " calls in " + std::to_string(round_) + " rounds, " +
           std::to_string(static_cast<int>(calls / minutes)) + " a minute\n" + text;
}

}  // namespace sfg::test::random
