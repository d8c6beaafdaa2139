// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "driver/chains/places.hpp"
#include "driver/core/result.hpp"
#include "driver/images/image_info.hpp"
#include "driver/pools/file_use.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// What a request's <backingStore> says.
struct BackingRequest {
    std::string path;    // a URI or key, an absolute local path, or a name below the pool
    std::string format;  // libvirt hands "raw" where the request does not say
};

// A base that is there and may be used.
struct Base {
    std::string asked;               // as the request has it
    std::string recorded;            // as the new image is to name it
    std::string format;              // libvirt's name of it
    std::uint64_t capacity = 0;      // bytes
    std::shared_ptr<UsedFile> used;  // keeps the base as it is; null for a local file
    std::optional<Place> place;      // nothing for a local file, whose path is `recorded`
    Gfid gfid;
    std::shared_ptr<const ImageInfo> image;  // as it was when it was taken; null for a local file
};

// Finds what `request` means for the image that is to stand at `image` (from the volume's root).
// A base in the same gluster volume is recorded relative to the image, so that the chain opens
// over gfapi and over FUSE; any other as it was given. Errors, none of which has changed a thing:
//   not_found    the base is not there
//   invalid      it is a directory, its format is not the one asked for, or the new image would
//                become its own base
//   denied       it is on a gluster server that no active pool names: such a server is not
//                connected to
Result<Base> find_base(const OpenPool& pool, const std::string& image,
                       const BackingRequest& request);

// For the moments before and after an image on it gets its name: the base is still held, and what
// was found still stands there. ErrorKind::busy or not_found where it does not: what is to be made
// must not be.
Result<void> check_still_there(const Base& base);

// The base of an image as a user may name it again: its path made absolute.
struct BackingShown {
    std::string path;    // a gluster URI, a local path, or what the image says where it is neither
    std::string format;  // empty where the image does not say
};

// The base of the image at `image` (from the volume's root) for showing: names are worked out, and
// nothing is opened.
std::optional<BackingShown> shown_backing(const Pool& pool, const std::string& image,
                                          const ImageInfo& info);

}  // namespace sfg
