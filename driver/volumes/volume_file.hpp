// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/result.hpp"
#include "driver/gluster/object.hpp"
#include "driver/pools/file_use.hpp"
#include "driver/pools/pool.hpp"

namespace sfg {

// A volume that is a regular file.
struct VolumeFile {
    Object object;
    std::string path;  // from the volume's root, links worked out
};

// "volume 'x' of pool 'p'"
std::string volume_described(const Pool& pool, const std::string& name);

// Looks the file of a volume up for reading; a link is followed where it stays in the pool, as it
// is when the pool is listed. Errors, without the volume's name: not_found where it is gone,
// unsupported for a directory.
Result<VolumeFile> find_volume_file(const OpenPool& pool, const std::string& name);

// The same for a change: no link is followed. ErrorKind::unsupported for one.
Result<VolumeFile> find_volume_file_to_change(const OpenPool& pool, const std::string& name);

// Takes a volume for a change that its dependants would not survive: exclusively, and only where it
// is the base of nothing. `doing` as for use_file.
struct TakenVolume {
    VolumeFile volume;
    UsedFile used;
};
Result<TakenVolume> take_volume(const OpenPool& pool, const std::string& name,
                                const std::string& doing);

// After an operation has changed what the volume is: records its format, so that it wins over
// probing from now on.
Result<void> record_format(const Object& object, const std::string& format);

}  // namespace sfg
