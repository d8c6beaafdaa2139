// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/volume_transfer.hpp"

#include <algorithm>
#include <limits>

#include "driver/volumes/finish_upload.hpp"
#include "driver/volumes/gate.hpp"
#include "driver/volumes/guests.hpp"

namespace sfg {

Result<std::shared_ptr<Transfer>> begin_download(const OpenPool& pool, const std::string& name,
                                                 const TransferRange& range, bool sparse) {
    const std::string who = volume_described(pool.pool, name);
    auto begin = [&]() -> Result<std::shared_ptr<Transfer>> {
        SFG_TRY_ASSIGN(const VolumeFile volume, look_up_to_read(pool, name));
        SFG_TRY_ASSIGN(UsedFile used, use_shared(volume.object, "it is being downloaded"));
        SFG_TRY(check_copyable(used, place_in(pool, volume.path), true, who));
        SFG_TRY_ASSIGN(const std::uint64_t size, used.file.size());
        const std::uint64_t offset = std::min(range.offset, size);
        std::uint64_t length = size - offset;
        if (range.length != 0) length = std::min(length, range.length);
        const auto shared = std::make_shared<UsedFile>(std::move(used));
        return start_download(who, std::shared_ptr<ByteSource>(shared, &shared->file),
                              Extent{offset, length}, sparse);
    };
    auto begun = begin();
    if (!begun) return begun.error().with_context("cannot download " + who);
    return begun;
}

Result<std::shared_ptr<Transfer>> begin_upload(const OpenPool& pool, const std::string& name,
                                               const TransferRange& range) {
    const std::string who = volume_described(pool.pool, name);
    auto begin = [&]() -> Result<std::shared_ptr<Transfer>> {
        constexpr auto kMostOffset = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
        if (range.offset > kMostOffset || range.length > kMostOffset - range.offset)
            return Error(ErrorKind::invalid, "offset and length reach over what a file can hold");
        SFG_TRY_ASSIGN(TakenVolume taken, Gate(pool, name).take("it is being uploaded to"));
        const auto shared = std::make_shared<TakenVolume>(std::move(taken));
        return start_upload(who, std::shared_ptr<ByteSource>(shared, &shared->file()), range.offset,
                            range.length, [=](std::uint64_t end) {
                                const bool header_came = range.offset == 0 && end > 0;
                                return finish_upload(*shared, header_came, who);
                            });
    };
    auto begun = begin();
    if (!begun) return begun.error().with_context("cannot upload to " + who);
    return begun;
}

}  // namespace sfg
