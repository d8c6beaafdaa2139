// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Several threads read ahead, each one piece at a time; what they have read waits in order for
// libvirt to fetch it.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "driver/core/zeros.hpp"
#include "driver/transfer/pieces.hpp"
#include "driver/transfer/progress.hpp"
#include "driver/transfer/stream_gate.hpp"
#include "driver/transfer/transfer.hpp"

namespace sfg {
namespace {

// How many pieces are read and not yet fetched: 16 MiB, and what the threads have in hand.
constexpr std::uint64_t kReadAhead = 16;

class Download final : public Transfer, public std::enable_shared_from_this<Download> {
  public:
    Download(std::string who, std::shared_ptr<ByteSource> file, Extent range, bool sparse)
        : who_(std::move(who)),
          file_(std::move(file)),
          sparse_(sparse),
          pieces_(*file_, range.offset, range.end()),
          listed_(range.offset),
          end_(range.end()),
          progress_(who_ + ": downloaded", range.length) {}

    Result<void> start() {
        SFG_TRY(gate_.open());
        const std::lock_guard held(mutex_);
        // None is needed to begin with: fewer threads take longer.
        for (int i = 0; i < kTransferThreads; ++i) {
            try {
                std::thread([self = shared_from_this()] { self->read_ahead(); }).detach();
                ++threads_;
            } catch (const std::system_error& failure) {
                if (i == 0) return Error(ErrorKind::io, EAGAIN, failure.what());
                break;
            }
        }
        return {};
    }

    Result<int> descriptor() override { return gate_.duplicate(); }

    Result<std::optional<std::size_t>> receive(std::span<std::byte> buffer, bool wait) override {
        std::unique_lock held(mutex_);
        if (wait) changed_.wait(held, [&] { return is_ready(); });
        std::size_t done = 0;
        while (done < buffer.size() && head_is_ready()) {
            const Run& run = head().runs[head_run_];
            const std::size_t part = static_cast<std::size_t>(
                std::min<std::uint64_t>(run.length - head_done_, buffer.size() - done));
            if (run.data)
                std::memcpy(buffer.data() + done, head().bytes.get() + run.in_buffer + head_done_,
                            part);
            else
                std::memset(buffer.data() + done, 0, part);
            done += part;
            advance(part);
        }
        progress_.advance(done);
        update_gate();
        if (done > 0 || buffer.empty()) return std::optional(done);
        if (error_) return tell_error();
        if (is_over()) return std::optional(std::size_t{0});
        return std::optional<std::size_t>();
    }

    Result<Section> next_section() override {
        std::unique_lock held(mutex_);
        if (!changed_.wait_for(held, std::chrono::seconds(1), [&] { return is_ready(); }))
            return Error(ErrorKind::not_connected, ETIMEDOUT,
                         who_ + ": gluster does not answer in time");
        if (!head_is_ready()) {
            if (error_) return tell_error();
            return Section{};
        }
        // What follows without a change of kind and is there already.
        Section section{head().runs[head_run_].data, 0};
        std::size_t run = head_run_;
        std::uint64_t passed = head_done_;
        std::uint64_t number = fetched_;
        for (const auto& [at, item] : items_) {
            if (at != number++) break;
            for (; run < item.runs.size(); ++run) {
                if (item.runs[run].data != section.data) return section;
                section.length += item.runs[run].length - passed;
                passed = 0;
            }
            run = 0;
        }
        return section;
    }

    Result<void> hole(std::uint64_t length) override {
        const std::lock_guard held(mutex_);
        progress_.advance(length);
        while (length > 0 && head_is_ready()) {
            const std::uint64_t part = std::min(length, head().runs[head_run_].length - head_done_);
            advance(part);
            length -= part;
        }
        update_gate();
        return {};
    }

    Result<void> finish() override {
        std::unique_lock held(mutex_);
        stop();
        // So that who asks next does not find the volume in use; where gluster hangs, it is.
        changed_.wait_for(held, kFinishLimit, [&] { return is_closed_; });
        if (error_) return *error_;
        return {};
    }

    void abort() override {
        std::unique_lock held(mutex_);
        stop();
        changed_.wait_for(held, kAbortLimit, [&] { return is_closed_; });
    }

  private:
    struct Run {
        bool data;
        std::uint64_t length;
        std::size_t in_buffer;
    };
    // A piece, or the hole before one.
    struct Item {
        std::unique_ptr<std::byte[]> bytes;
        std::vector<Run> runs;  // none is empty
    };

    // With the lock held, these:
    bool head_is_ready() const { return !items_.empty() && items_.begin()->first == fetched_; }
    Item& head() { return items_.begin()->second; }
    bool is_over() const { return items_.empty() && all_listed_ && fetched_ == listed_items_; }
    bool is_ready() const { return head_is_ready() || error_ || is_over() || stopped_; }
    // libvirt's daemon goes on watching a stream whose error it has told (remote_daemon_stream.c,
    // daemonStreamHandleRead), and would tell it again and again.
    void update_gate() { gate_.set_readable(is_ready() && !told_); }
    Error tell_error() {
        told_ = true;
        update_gate();
        return *error_;
    }

    void advance(std::uint64_t part) {
        head_done_ += part;
        if (head_done_ < head().runs[head_run_].length) return;
        head_done_ = 0;
        if (++head_run_ < head().runs.size()) return;
        head_run_ = 0;
        items_.erase(items_.begin());
        ++fetched_;
        changed_.notify_all();
    }

    void stop() {
        stopped_ = true;
        items_.clear();
        changed_.notify_all();
    }

    void fail(const Error& error) {
        if (!error_) error_ = error.with_context("cannot download " + who_);
        stopped_ = true;
        changed_.notify_all();
        update_gate();
    }

    void read_ahead() {
        try {
            while (read_one()) {
            }
        } catch (const std::exception& failure) {
            const std::lock_guard held(mutex_);
            fail(Error(ErrorKind::io, ENOMEM, failure.what()));
        }
        let_go();
    }

    // The volume is held as long as the stream lives, and closing it asks gluster, which must not
    // be in libvirtd's event loop, where the last owner of a transfer may be. So the last thread
    // stays for that.
    void let_go() {
        std::unique_lock held(mutex_);
        if (--threads_ > 0) return;
        changed_.wait(held, [&] { return stopped_; });
        auto file = std::move(file_);
        held.unlock();
        file.reset();
        held.lock();
        is_closed_ = true;
        changed_.notify_all();
    }

    // Returns false when there is nothing more to do.
    bool read_one() {
        std::uint64_t number = 0;
        std::optional<Extent> piece;
        {
            // Only one thread at a time asks for what comes next, so numbers follow the file.
            const std::lock_guard listing(listing_);
            std::unique_lock held(mutex_);
            changed_.wait(held, [&] {
                return stopped_ || all_listed_ || listed_items_ - fetched_ < kReadAhead;
            });
            if (stopped_ || all_listed_) return false;
            held.unlock();
            const auto next = pieces_.next();
            held.lock();
            if (!next) {
                fail(next.error());
                return false;
            }
            piece = *next;
            const std::uint64_t begin = piece ? piece->offset : end_;
            if (begin > listed_) keep(listed_items_++, hole_of(begin - listed_));
            listed_ = piece ? piece->end() : end_;
            if (!piece) {
                all_listed_ = true;
                update_gate();
                changed_.notify_all();
                return false;
            }
            number = listed_items_++;
        }
        Item item;
        item.bytes =
            std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(piece->length));
        const std::span bytes(item.bytes.get(), static_cast<std::size_t>(piece->length));
        const auto got = file_->read_at(piece->offset, bytes);
        const std::lock_guard held(mutex_);
        if (stopped_) return false;
        if (!got || *got < bytes.size()) {
            fail(got ? Error(ErrorKind::io, 0, "it became shorter meanwhile") : got.error());
            return false;
        }
        item.runs = sparse_ && !pieces_.knows_holes() ? found_runs(bytes)
                                                      : std::vector{Run{true, bytes.size(), 0}};
        keep(number, std::move(item));
        return true;
    }

    static Item hole_of(std::uint64_t length) { return {nullptr, {Run{false, length, 0}}}; }

    static std::vector<Run> found_runs(std::span<const std::byte> bytes) {
        std::vector<Run> runs;
        std::uint64_t at = 0;
        for (const Extent& run : runs_of_data(bytes)) {
            if (run.offset > at) runs.push_back({false, run.offset - at, 0});
            runs.push_back({true, run.length, static_cast<std::size_t>(run.offset)});
            at = run.end();
        }
        if (at < bytes.size()) runs.push_back({false, bytes.size() - at, 0});
        return runs;
    }

    void keep(std::uint64_t number, Item item) {
        items_.emplace(number, std::move(item));
        if (number != fetched_) return;
        update_gate();
        changed_.notify_all();
    }

    const std::string who_;
    std::shared_ptr<ByteSource> file_;  // let go by the last thread
    const bool sparse_;
    Pieces pieces_;
    std::mutex listing_;  // taken before mutex_

    std::mutex mutex_;  // guards all below
    std::condition_variable changed_;
    StreamGate gate_;
    std::uint64_t listed_;  // where in the file the listing has come to
    const std::uint64_t end_;
    std::uint64_t listed_items_ = 0;  // how many have a number
    bool all_listed_ = false;
    std::uint64_t fetched_ = 0;  // how many libvirt has had
    std::size_t head_run_ = 0;   // where it is in the next one
    std::uint64_t head_done_ = 0;
    std::map<std::uint64_t, Item> items_;  // what is read and not yet fetched, by number
    std::optional<Error> error_;
    bool told_ = false;  // libvirt has had it
    bool stopped_ = false;
    int threads_ = 0;
    bool is_closed_ = false;
    Progress progress_;
};

}  // namespace

Result<std::shared_ptr<Transfer>> start_download(std::string who, std::shared_ptr<ByteSource> file,
                                                 Extent range, bool sparse) {
    auto download = std::make_shared<Download>(std::move(who), std::move(file), range, sparse);
    SFG_TRY(download->start());
    return std::shared_ptr<Transfer>(std::move(download));
}

}  // namespace sfg
