// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driver/core/result.hpp"
#include "hooks/rewrite/domain_xml.hpp"
#include "hooks/rewrite/known_volumes.hpp"

namespace sfg::hooks {

// Whether a guest can start on this host, as far as its gluster images go; else an error, a
// sentence that names the guest, the disk, the volume and the command that mends it:
//   - a network disk, and the emulator has no gluster driver;
//   - a file below a mount point of a gluster volume that is not mounted, or whose mount is dead or
//     hangs: the guest would start on the empty directory below, or libvirtd would hang;
//   - an image that qemu cannot read to its end over gfapi.
// What cannot be found out refuses nothing. May have autofs mount what is to be mounted.
//
// `look_again` describes the host anew, after a mount was asked for.
Result<void> check_start(DomainXml& domain, const KnownVolumes& volumes,
                         const std::function<Result<HostDescription>()>& look_again);

}  // namespace sfg::hooks
