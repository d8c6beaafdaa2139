// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/volumes/resize.hpp"

#include <cerrno>
#include <limits>

#include "driver/chains/chain.hpp"
#include "driver/core/log.hpp"
#include "driver/qcow2/preallocate.hpp"
#include "driver/qcow2/resize.hpp"
#include "driver/volumes/gate.hpp"

namespace sfg {
namespace {

constexpr std::uint64_t kSector = 512;

Result<void> resize_raw(File& file, const ResizeRequest& request) {
    SFG_TRY_ASSIGN(const std::uint64_t before, file.size());
    auto work = [&]() -> Result<void> {
        if (request.allocate) SFG_TRY(file.allocate(0, request.capacity));
        if (request.capacity < before || !request.allocate) SFG_TRY(file.resize(request.capacity));
        return file.flush();
    };
    const auto done = work();
    // What has grown holds nothing yet. What was to shrink has done so or not.
    if (!done && request.capacity > before) {
        if (auto back = file.resize(before); !back)
            log_warning("a volume keeps a larger size than it had: " + back.error().message());
    }
    return done;
}

Result<void> resize_qcow2(const OpenPool& pool, TakenVolume& taken, const ResizeRequest& request) {
    const ImageInfo& info = taken.image();
    File& file = taken.file();
    if (request.allocate && info.backing && !info.extended_l2)
        return Error(ErrorKind::unsupported,
                     "it has a base, which allocated clusters would hide: resize it without "
                     "--allocate");
    qcow2::ResizeOptions options;
    options.virtual_size = (request.capacity + kSector - 1) / kSector * kSector;
    options.allow_shrink = request.shrink;
    if (info.backing && options.virtual_size > info.capacity) {
        SFG_TRY_ASSIGN(const ChainImage base, open_base(place_in(pool, taken.path()), "", info,
                                                        "a volume on it is being resized"));
        options.base_size = base.info.capacity;
    }
    SFG_TRY(qcow2::resize(file, options));
    if (!request.allocate) return {};
    const auto allocated = qcow2::preallocate(file, qcow2::CreateOptions::Preallocation::falloc);
    if (allocated) return {};
    // The image is as it was but for its size.
    options.virtual_size = info.capacity;
    options.allow_shrink = true;
    if (auto back = qcow2::resize(file, options); !back)
        log_warning(volume_described(pool.pool, taken.path()) +
                    " keeps its new size: " + back.error().message());
    return allocated;
}

Result<Loss> judge(const ImageInfo& image, const ResizeRequest& request) {
    if (!image.damage.empty()) return Error(ErrorKind::corrupt, image.damage);
    if (image.format != "raw" && image.format != "qcow2" && image.format != "iso")
        return Error(ErrorKind::unsupported,
                     "volumes of the format " + image.format + " are not resized here");
    if (request.capacity >= image.capacity) return Loss{Loss::Of::nothing, 0};
    if (!request.shrink)
        return Error(ErrorKind::invalid,
                     "its capacity is " + std::to_string(image.capacity) +
                         " bytes, and making it smaller needs the flag to shrink");
    return Loss{Loss::Of::tail, request.capacity};
}

Result<void> resize(const OpenPool& pool, const std::string& name, const ResizeRequest& request) {
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
    if (request.capacity > kLargest - kSector)
        return Error(ErrorKind::invalid, "a capacity of " + std::to_string(request.capacity) +
                                             " bytes is over what a file can hold");
    SFG_TRY_ASSIGN(TakenVolume taken,
                   Gate(pool, name).take("it is being resized", [&](const ImageInfo& image) {
                       return judge(image, request);
                   }));
    if (taken.image().format == "qcow2")
        SFG_TRY(resize_qcow2(pool, taken, request));
    else
        SFG_TRY(resize_raw(taken.file(), request));
    return taken.file().close();
}

}  // namespace

Result<void> resize_volume(const OpenPool& pool, const std::string& name,
                           const ResizeRequest& request) {
    const auto done = resize(pool, name, request);
    if (!done && done.error().system_errno() == ETXTBSY)
        return Error(ErrorKind::busy, EBUSY,
                     "cannot resize " + volume_described(pool.pool, name) + ": " +
                         done.error().message() +
                         "; virsh blockresize makes it larger while its guest runs");
    if (!done)
        return done.error().with_context("cannot resize " + volume_described(pool.pool, name));
    return {};
}

}  // namespace sfg
