// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "driver/core/result.hpp"
#include "driver/gluster/object.hpp"
#include "driver/images/image_info.hpp"
#include "driver/pools/pool.hpp"
#include "driver/pools/temporaries.hpp"
#include "driver/volumes/create.hpp"

namespace sfg {

// The frame in which every new volume is made, whatever is put into it.

// Writes what the volume shall hold; returns what reading it would tell, where that is known.
using Fill = std::function<Result<std::optional<ImageInfo>>(Temporary& temporary)>;

// Whether its base is still what it was.
using LastLook = std::function<Result<void>()>;

// Makes a file under a temporary name beside the volume's own, fills it, sets its owner and
// permissions, records its format, flushes it and links it to its name; before and after that it
// asks `last_look`. Whatever happens there is either the whole volume or none. ErrorKind::exists
// where the name is taken by now.
Result<Gfid> build_file(const OpenPool& pool, const VolumeRequest& request, const Fill& fill,
                        const LastLook& last_look);

// Calls `make` with the directory that the volume is to stand in, made where it is missing; again
// where the deletion of a neighbour has taken it away meanwhile (ErrorKind::not_found).
Result<Gfid> with_parents(const OpenPool& pool, const std::string& name,
                          const std::function<Result<Gfid>(const Object& parent)>& make);

// Refuses to make a volume where the gluster volume shows its snapshots (ErrorKind::invalid; a file
// that is made there is hidden from FUSE, and cannot be removed), and under a name that is known in
// this gluster volume and cannot be seen just now, since a brick is away: ErrorKind::not_connected.
// ErrorKind::exists where it can be seen.
Result<void> check_name_is_free(const OpenPool& pool, const std::string& name);

// What a user is told where `who` ("volume 'x' of pool 'p'") was not made for another reason.
// libvirt puts "Storage volume not found:" before what is missing (VIR_ERR_NO_STORAGE_VOL): a base,
// a source.
Error not_made(const std::string& who, const Error& error);

// What a user is told where the name is taken. libvirt puts words around it
// (VIR_ERR_STORAGE_VOL_EXIST): "storage volume ... exists already".
Error exists_already(const Pool& pool, const std::string& name);

}  // namespace sfg
