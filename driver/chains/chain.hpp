// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/chains/places.hpp"
#include "driver/core/local_file.hpp"
#include "driver/core/result.hpp"
#include "driver/images/image_info.hpp"
#include "driver/pools/file_use.hpp"

namespace sfg {

// An image of a backing chain that may be opened.
struct ChainImage {
    std::string format;               // qemu's name
    ImageInfo info;                   // as it was read
    std::optional<Place> place;       // nothing for a file of this host
    std::string local_path;           // of a file of this host, absolute
    Gfid gfid;                        // of a file in gluster
    struct stat stat {};              // of a file in gluster, when it was taken
    std::shared_ptr<UsedFile> used;   // of a file in gluster: keeps it as it is
    std::shared_ptr<LocalFile> file;  // of a file of this host

    // How errors name it.
    std::string described() const;
};

// An image in a gluster volume, and one of this host. `format` is what the file is opened as, for
// a local one as libvirt or an image has it.
Result<ChainImage> chain_image_in_gluster(Place place, const std::string& who,
                                          const std::string& doing);
Result<ChainImage> local_chain_image(std::shared_ptr<LocalFile> file, const std::string& path,
                                     const std::string& format);

// The base that the image at `at` (of this host: at `local_path`) records. A stranger may have
// written that name, so it is followed into directories of active gluster pools and into those that
// the configuration names (local-base-directories), and nowhere else: ErrorKind::denied. What the
// image says of the base's format counts only where it agrees with what the base is, or says raw: a
// guest may have written what looks like a header to a raw disk. External data files, encryption
// and formats that lead to further files are ErrorKind::unsupported, damage is ErrorKind::corrupt.
Result<ChainImage> open_base(const std::optional<Place>& at, const std::string& local_path,
                             const ImageInfo& info, const std::string& doing);

// Opens the bases of `top` down to the end of its chain; the result begins with `top`. Errors as
// for open_base; a loop is ErrorKind::corrupt.
Result<std::vector<ChainImage>> walk_chain(ChainImage top, const std::string& doing);

}  // namespace sfg
