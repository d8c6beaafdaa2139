// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What libvirt sends is gathered in pieces that several threads write at once. A further thread
// flushes while they go on, so that little is left to do when the stream is finished: libvirt asks
// for that in its event loop, where nothing may wait for long, and its answer is final. So no more
// is taken from the client than the storage confirms in a part of that time (Window): it waits in
// send, where waiting harms nobody.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include "driver/core/log.hpp"
#include "driver/transfer/holes.hpp"
#include "driver/transfer/pieces.hpp"
#include "driver/transfer/progress.hpp"
#include "driver/transfer/stream_gate.hpp"
#include "driver/transfer/transfer.hpp"
#include "driver/transfer/window.hpp"

namespace sfg {
namespace {

using Clock = std::chrono::steady_clock;

// How much may wait to be written: 16 MiB, and what the threads have in hand. Pieces may be small
// where data and holes take turns.
constexpr std::size_t kMostPieces = 16;
constexpr std::size_t kMostQueued = kMostPieces * kTransferUnit;

// What a slow client has sent is flushed when no more has come for so long.
constexpr std::chrono::milliseconds kIdle{100};

class Upload final : public Transfer, public std::enable_shared_from_this<Upload> {
  public:
    Upload(std::string who, std::shared_ptr<ByteSource> file, std::uint64_t offset,
           std::uint64_t limit, CompleteUpload complete)
        : who_(std::move(who)),
          file_(std::move(file)),
          complete_(std::move(complete)),
          begin_(offset),
          limit_(limit),
          position_(offset),
          progress_(who_ + ": uploaded", limit) {}

    Result<void> start() {
        SFG_TRY(gate_.open());
        const std::lock_guard held(mutex_);
        try {
            std::thread([self = shared_from_this()] { self->conduct(); }).detach();
            for (int i = 0; i < kTransferThreads; ++i)
                std::thread([self = shared_from_this()] { self->write_pieces(); }).detach();
        } catch (const std::system_error& failure) {
            stop();
            return Error(ErrorKind::io, EAGAIN, failure.what());
        }
        return {};
    }

    Result<int> descriptor() override { return gate_.duplicate(); }

    Result<std::optional<std::size_t>> send(std::span<const std::byte> bytes, bool wait) override {
        std::unique_lock held(mutex_);
        if (wait) changed_.wait(held, [&] { return has_room() || stopped_; });
        if (error_) return *error_;
        if (stopped_) return Error(ErrorKind::invalid, EBADF, "the stream was aborted");
        if (limit_ != 0) {
            const std::uint64_t left = begin_ + limit_ - position_;
            if (left == 0 && !bytes.empty())
                return Error(ErrorKind::no_space, ENOSPC,
                             "cannot upload " + who_ + ": more than the " + std::to_string(limit_) +
                                 " bytes were sent that were announced");
            bytes =
                bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes.size())));
        }
        std::size_t done = 0;
        while (done < bytes.size() && has_room()) done += gather(bytes.subspan(done));
        window_.took(done, Clock::now());
        update_gate();
        changed_.notify_all();
        if (done == 0 && !bytes.empty()) return std::optional<std::size_t>();
        return std::optional(done);
    }

    Result<void> hole(std::uint64_t length) override {
        const std::lock_guard held(mutex_);
        if (stopped_) return {};
        // What reaches over the announced end is cut without a word, as an FDStream does.
        if (limit_ != 0) length = std::min(length, begin_ + limit_ - position_);
        constexpr auto kMostOffset = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
        if (position_ > kMostOffset || length > kMostOffset - position_) {
            fail(Error(ErrorKind::no_space, EFBIG, "a file cannot be that large"));
            return {};
        }
        if (length == 0) return {};
        if (!queue_.empty() && !queue_.back().bytes)
            queue_.back().extent.length += length;  // a client may send any number of them
        else
            queue_.push_back({{position_, length}, nullptr});
        position_ += length;
        update_gate();
        changed_.notify_all();
        return {};
    }

    Result<void> finish() override {
        std::unique_lock held(mutex_);
        finishing_ = true;
        changed_.notify_all();
        if (changed_.wait_for(held, kFinishLimit, [&] { return done_; })) {
            if (error_) return *error_;
            return {};
        }
        if (error_) return *error_;
        given_up_ = true;
        return Error(ErrorKind::not_connected, ETIMEDOUT,
                     who_ + " is not stored yet: gluster has not confirmed the last of it within " +
                         std::to_string(kFinishLimit.count()) +
                         " ms. It goes on; compare the volume before you use it, or upload it "
                         "again");
    }

    void abort() override {
        std::unique_lock held(mutex_);
        stop();
        changed_.wait_for(held, kAbortLimit, [&] { return done_; });
    }

  private:
    struct Piece {
        Extent extent;
        std::unique_ptr<std::byte[]> bytes;  // null for a hole
    };

    // With the lock held, these:
    bool has_room() const {
        return queued_ < kMostQueued && queue_.size() < kMostPieces &&
               outstanding() < window_.bytes() && !stopped_;
    }
    // Sent, and not yet on stable storage.
    std::uint64_t outstanding() const { return queued_ + in_hand_ + unflushed_; }
    // What was met is told at the next send, so that must be asked for.
    void update_gate() { gate_.set_writable(has_room() || error_); }

    void stop() {
        stopped_ = true;
        queue_.clear();
        queued_ = 0;
        update_gate();
        changed_.notify_all();
    }

    void fail(const Error& error) {
        if (!error_) error_ = error.with_context("cannot upload " + who_);
        stop();
    }

    // Puts the first of `bytes` behind what is gathered; returns how many.
    std::size_t gather(std::span<const std::byte> bytes) {
        // Pieces end at multiples of the unit, as blocks of bricks and shards do.
        const std::uint64_t boundary = (position_ / kTransferUnit + 1) * kTransferUnit;
        if (queue_.empty() || !queue_.back().bytes ||
            queue_.back().extent.end() % kTransferUnit == 0)
            queue_.push_back(
                {{position_, 0}, std::make_unique_for_overwrite<std::byte[]>(kTransferUnit)});
        Piece& piece = queue_.back();
        const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(
            {boundary - position_, bytes.size(), window_.bytes() - outstanding()}));
        std::memcpy(piece.bytes.get() + piece.extent.length, bytes.data(), part);
        piece.extent.length += part;
        position_ += part;
        queued_ += part;
        return part;
    }

    void write_pieces() {
        std::unique_lock held(mutex_);
        while (true) {
            changed_.wait(held, [&] {
                return stopped_ || done_ || (!queue_.empty() && may_write(queue_.front()));
            });
            if (stopped_ || done_) return;
            const Piece piece = std::move(queue_.front());
            queue_.pop_front();
            const std::uint64_t length = piece.bytes ? piece.extent.length : 0;
            queued_ -= static_cast<std::size_t>(length);
            in_hand_ += length;
            if (!piece.bytes) making_hole_ = true;
            ++writing_;
            update_gate();
            changed_.notify_all();
            held.unlock();
            Result<void> written;
            try {
                written = write(piece);
            } catch (const std::exception& failure) {
                written = Error(ErrorKind::io, ENOMEM, failure.what());
            }
            held.lock();
            --writing_;
            in_hand_ -= length;
            if (!piece.bytes) making_hole_ = false;
            if (!written) return fail(written.error());
            unflushed_ += length;
            progress_.advance(piece.extent.length);
            changed_.notify_all();
        }
    }

    // A hole is made by one thread alone, for it may change the size.
    bool may_write(const Piece& piece) const {
        return !making_hole_ && (piece.bytes || writing_ == 0);
    }

    Result<void> write(const Piece& piece) {
        if (piece.bytes)
            return file_->write_at(
                piece.extent.offset,
                std::span(piece.bytes.get(), static_cast<std::size_t>(piece.extent.length)));
        return make_hole(*file_, piece.extent);
    }

    // Flushes now and then, and completes the upload at its end.
    void conduct() {
        std::unique_lock held(mutex_);
        while (true) {
            const bool enough = changed_.wait_for(
                held, kIdle, [&] { return stopped_ || is_to_be_flushed() || is_complete(); });
            if (stopped_) break;
            if (!enough && !(unflushed_ > 0 && queue_.empty() && writing_ == 0)) continue;
            const bool at_end = is_complete();
            const std::uint64_t covered = unflushed_;
            const std::uint64_t end = position_;
            held.unlock();
            Result<void> flushed;
            try {
                flushed = at_end ? complete_(end) : file_->flush();
            } catch (const std::exception& failure) {
                flushed = Error(ErrorKind::io, ENOMEM, failure.what());
            }
            held.lock();
            if (!flushed) fail(flushed.error());
            if (at_end || stopped_) break;
            window_.confirmed(covered, Clock::now());
            unflushed_ -= covered;
            update_gate();
            changed_.notify_all();
        }
        // The file is closed, and the volume free for the next, before the end is told; and not in
        // libvirtd's event loop, where the last owner of a transfer may be.
        changed_.wait(held, [&] { return writing_ == 0; });
        auto file = std::move(file_);
        auto complete = std::move(complete_);
        held.unlock();
        complete = nullptr;
        file.reset();
        held.lock();
        done_ = true;
        changed_.notify_all();
        if (given_up_)
            log_warning(error_ ? error_->message()
                               : who_ + " is stored by now; refresh the pool (virsh pool-refresh)");
    }

    bool is_complete() const { return finishing_ && queue_.empty() && writing_ == 0; }

    // Half of the window, so that the threads go on with the other half; or all there is.
    bool is_to_be_flushed() const {
        return unflushed_ > 0 &&
               (unflushed_ >= window_.bytes() / 2 ||
                (queue_.empty() && writing_ == 0 && outstanding() >= window_.bytes()));
    }

    const std::string who_;
    std::shared_ptr<ByteSource> file_;  // let go by the conductor at the end, and so is complete_
    CompleteUpload complete_;
    const std::uint64_t begin_;
    const std::uint64_t limit_;  // bytes; 0: none

    std::mutex mutex_;  // guards all below
    std::condition_variable changed_;
    StreamGate gate_;
    std::uint64_t position_;  // where in the file the next byte goes
    std::deque<Piece> queue_;
    std::size_t queued_ = 0;  // bytes in the queue
    int writing_ = 0;         // how many threads write
    bool making_hole_ = false;
    std::uint64_t in_hand_ = 0;    // bytes that they write
    std::uint64_t unflushed_ = 0;  // bytes that were written
    Window window_;
    std::optional<Error> error_;
    bool finishing_ = false;
    bool stopped_ = false;
    bool done_ = false;
    bool given_up_ = false;  // finish() has answered without knowing
    Progress progress_;
};

}  // namespace

Result<std::shared_ptr<Transfer>> start_upload(std::string who, std::shared_ptr<ByteSource> file,
                                               std::uint64_t offset, std::uint64_t limit,
                                               CompleteUpload complete) {
    auto upload = std::make_shared<Upload>(std::move(who), std::move(file), offset, limit,
                                           std::move(complete));
    SFG_TRY(upload->start());
    return std::shared_ptr<Transfer>(std::move(upload));
}

}  // namespace sfg
