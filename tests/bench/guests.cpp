// SPDX-License-Identifier: LGPL-2.1-or-later
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/bench/pool_pair.hpp"
#include "tests/support/guest.hpp"

namespace sfg::bench {
namespace {

using test::kMiB;

constexpr int kAtOnce = 10;

class Guests {
  public:
    Guests(const Options& options, const ScratchDirectory& scratch)
        : options_(options), directory_(scratch.in_volume() + "/guests") {
        for (int i = 0; i < kAtOnce; ++i)
            clients_.push_back(std::make_unique<test::Client>(options.connect));
    }

    static std::string disk(int number) { return "disk-" + std::to_string(number); }

    // So many, all at once.
    void start(int count, bool over_gfapi) {
        running_ = std::vector<test::Answer<test::Guest>>(static_cast<std::size_t>(count));
        each(count, [&](int i, test::Answer<test::Guest>& guest) {
            const test::DiskSpec spec =
                over_gfapi
                    ? test::network_disk(options_.volume, directory_.substr(1) + "/" + disk(i),
                                         {options_.host})
                    : test::file_disk(options_.mount + directory_ + "/" + disk(i));
            guest = test::Guest::start(
                *clients_[static_cast<std::size_t>(i)],
                {"bench-" + std::to_string(i), {spec}, {{"LD_PRELOAD", options_.quick_close}}});
        });
        for (const auto& guest : running_)
            if (!guest) throw std::runtime_error("a guest did not start: " + guest.refusal.message);
    }

    void destroy() {
        each(static_cast<int>(running_.size()),
             [](int, test::Answer<test::Guest>& guest) { guest->destroy(); });
        running_.clear();
    }

  private:
    template <typename Work>
    void each(int count, const Work& work) {
        std::vector<std::thread> threads;
        for (int i = 0; i < count; ++i)
            threads.emplace_back([&, i] { work(i, running_[static_cast<std::size_t>(i)]); });
        for (auto& thread : threads) thread.join();
    }

    const Options& options_;
    const std::string directory_;
    std::vector<std::unique_ptr<test::Client>> clients_;
    std::vector<test::Answer<test::Guest>> running_;
};

}  // namespace

std::vector<Row> compare_guests(const test::Client& client, const Options& options,
                                const ScratchDirectory& scratch) {
    scratch.make_subdirectory("guests");
    const PoolPair pools(client, options, scratch, "guests");
    pools.gluster.create(test::qcow2("base", 64 * kMiB));
    for (int i = 0; i < kAtOnce; ++i) pools.gluster.create(test::overlay(Guests::disk(i), "base"));
    Guests guests(options, scratch);
    Row start{"start a guest, network disk against file", "at most 1.2"};
    Row end{"destroy it, with quick-close.so", "none"};
    Row together{"start ten guests at once", "at most 1.2"};
    // The first turn of each does not count: libvirt asks qemu what it can do.
    for (int turn = 0; turn <= options.guests; ++turn) {
        for (const int count : {1, kAtOnce}) {
            Row uncounted;
            Row& started = turn == 0 ? uncounted : count == 1 ? start : together;
            Row& ended = turn == 0 || count != 1 ? uncounted : end;
            alternate(
                turn, started, [&] { guests.start(count, true); },
                // The other kind's guests hold the same disks: they end in between.
                [&] { guests.start(count, false); },
                [&](Samples Row::*who) { (ended.*who).time([&] { guests.destroy(); }); });
        }
    }
    return {std::move(start), std::move(together), std::move(end)};
}

}  // namespace sfg::bench
