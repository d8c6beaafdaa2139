// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "driver/core/byte_source.hpp"
#include "driver/gluster/object.hpp"
#include "driver/images/image_info.hpp"

namespace sfg {

// The name of the extended attribute with the format a volume was made with. It wins over what the
// bytes look like, because a guest can write a qcow2 header to its raw disk and so have a host
// open any file as its base. In the trusted namespace, which only root reaches.
inline constexpr char kFormatAttribute[] = "trusted.sfgluster.format";

// Looks at the first bytes of a file of `file_size` bytes. Never fails for what they say: a
// damaged image comes back with `damage` set.
ImageInfo inspect_bytes(
    std::span<const std::byte> start_of_file, std::uint64_t file_size,
    const std::function<Result<std::size_t>(std::uint64_t, std::span<std::byte>)>& read_more);

// The same with `file`, all of it.
Result<ImageInfo> inspect_file(ByteSource& file);

// What an image that looks like `seen` is if `recorded` is the format it was made or uploaded with.
// What was not made as qcow2 is what it was, and opens no base: its guest can write to it what it
// will. What was "raw" or "iso", or does not look any more like what it was, is plain data; of
// others the base is only claimed.
ImageInfo as_recorded(ImageInfo seen, const std::string& recorded, std::uint64_t file_size);

// Looks at a file of a gluster volume, the recorded format included: one call for a raw file,
// two for others. Errors are gluster's, without a name.
Result<ImageInfo> inspect_object(const Object& file);

// The same through the cache of headers: one image is read again only when its size or times
// changed.
Result<std::shared_ptr<const ImageInfo>> inspect_cached(const Object& file);

}  // namespace sfg
