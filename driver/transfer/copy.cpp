// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/transfer/copy.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "driver/core/zeros.hpp"
#include "driver/transfer/pieces.hpp"

namespace sfg {
namespace {

// The first error of several threads.
class FirstError {
  public:
    void set(const Error& error) {
        const std::lock_guard held(mutex_);
        if (!error_) error_ = error;
        is_set_ = true;
    }
    bool is_set() const { return is_set_; }
    Result<void> result() {
        if (error_) return *error_;
        return {};
    }

  private:
    std::mutex mutex_;
    std::optional<Error> error_;
    std::atomic<bool> is_set_ = false;
};

// Runs `work` on kTransferThreads threads, one of them the caller's, or on fewer where no more are
// to be had.
void run_on_threads(const std::function<void()>& work) {
    std::vector<std::thread> threads;
    try {
        for (int i = 1; i < kTransferThreads; ++i) threads.emplace_back(work);
    } catch (const std::system_error&) {
        // With fewer threads it takes longer.
    }
    work();
    for (auto& thread : threads) thread.join();
}

Result<void> write_non_zero(ByteSource& to, std::uint64_t offset, std::span<const std::byte> data) {
    for (const Extent& run : runs_of_data(data))
        SFG_TRY(
            to.write_at(offset + run.offset, data.subspan(static_cast<std::size_t>(run.offset),
                                                          static_cast<std::size_t>(run.length))));
    return {};
}

}  // namespace

Result<void> for_each_piece(Pieces& pieces,
                            const std::function<Result<void>(Extent piece)>& visit) {
    FirstError error;
    auto visit_next = [&]() -> Result<bool> {
        SFG_TRY_ASSIGN(const auto piece, pieces.next());
        if (piece) SFG_TRY(visit(*piece));
        return piece.has_value();
    };
    run_on_threads([&] {
        // An exception that left a thread would end the daemon.
        try {
            while (!error.is_set()) {
                const auto visited = visit_next();
                if (!visited) return error.set(visited.error());
                if (!*visited) return;
            }
        } catch (const std::exception& failure) {
            error.set(Error(ErrorKind::io, ENOMEM, failure.what()));
        }
    });
    return error.result();
}

Result<void> copy_data(ByteSource& from, ByteSource& to, std::uint64_t length,
                       const CopyProgress& progress) {
    SFG_TRY_ASSIGN(const std::uint64_t present, from.size());
    if (present < length)
        return Error(ErrorKind::io, 0,
                     "the source ends at " + std::to_string(present) + " bytes, before " +
                         std::to_string(length));
    SFG_TRY_ASSIGN(const std::uint64_t has, to.size());
    if (has < length) SFG_TRY(to.resize(length));

    Pieces pieces(from, 0, length);
    std::mutex telling;
    return for_each_piece(pieces, [&](Extent piece) -> Result<void> {
        thread_local std::vector<std::byte> buffer;
        buffer.resize(kTransferUnit);
        const auto data = std::span(buffer).first(static_cast<std::size_t>(piece.length));
        SFG_TRY_ASSIGN(const std::size_t got, from.read_at(piece.offset, data));
        if (got < data.size())
            return Error(ErrorKind::io, 0, "the source became shorter while it was copied");
        if (pieces.knows_holes())
            SFG_TRY(to.write_at(piece.offset, data));
        else
            SFG_TRY(write_non_zero(to, piece.offset, data));
        const std::lock_guard held(telling);
        return progress(piece.length);
    });
}

}  // namespace sfg
