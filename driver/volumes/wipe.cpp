// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/wipe.hpp"

#include <sys/random.h>

#include <cerrno>
#include <vector>

#include "driver/core/log.hpp"
#include "driver/transfer/copy.hpp"
#include "driver/transfer/holes.hpp"
#include "driver/transfer/progress.hpp"
#include "driver/volumes/gate.hpp"

namespace sfg {
namespace {

Result<void> fill_with_random(std::span<std::byte> buffer) {
    while (!buffer.empty()) {
        const ssize_t got = ::getrandom(buffer.data(), buffer.size(), 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            return Error::from_errno(errno, "cannot get random bytes");
        }
        buffer = buffer.subspan(static_cast<std::size_t>(got));
    }
    return {};
}

Result<void> overwrite_with_random(ByteSource& file, Extent range) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(range.length));
    SFG_TRY(fill_with_random(bytes));
    return file.write_at(range.offset, bytes);
}

Result<void> trim(ByteSource& file) {
    SFG_TRY_ASSIGN(const std::uint64_t size, file.size());
    const auto done = file.discard(0, size);
    if (!done && done.error().kind() == ErrorKind::unsupported)
        return Error(ErrorKind::unsupported, done.error().system_errno(),
                     "its gluster volume, or the bricks' file system, cannot discard; use the "
                     "algorithm zero");
    return done;
}

Result<void> overwrite(ByteSource& file, WipeMethod method, const std::string& who) {
    SFG_TRY_ASSIGN(const std::uint64_t size, file.size());
    Progress progress(who + ": wiped", 0);
    const std::vector<std::byte> zeros(kTransferUnit);
    Pieces pieces(file, 0, size);
    return for_each_piece(pieces, [&](Extent piece) -> Result<void> {
        if (method == WipeMethod::random)
            SFG_TRY(overwrite_with_random(file, piece));
        else if (pieces.knows_holes())
            SFG_TRY(file.write_at(piece.offset,
                                  std::span(zeros).first(static_cast<std::size_t>(piece.length))));
        else
            SFG_TRY(overwrite_with_zeros(file, piece));
        progress.advance(piece.length);
        return {};
    });
}

}  // namespace

Result<void> wipe_volume(const OpenPool& pool, const std::string& name, WipeMethod method) {
    const std::string who = volume_described(pool.pool, name);
    auto work = [&]() -> Result<void> {
        SFG_TRY_ASSIGN(TakenVolume taken, Gate(pool, name).take("it is being wiped"));
        File& file = taken.file();
        if (method == WipeMethod::trim) SFG_TRY(trim(file));  // refused or done, mostly
        // Before the first byte goes: a wipe that is interrupted must not leave half an image.
        SFG_TRY(taken.record_format("raw"));
        if (method != WipeMethod::trim) SFG_TRY(overwrite(file, method, who));
        SFG_TRY(file.flush());
        return file.close();
    };
    if (auto done = work(); !done) return done.error().with_context("cannot wipe " + who);
    return {};
}

}  // namespace sfg
