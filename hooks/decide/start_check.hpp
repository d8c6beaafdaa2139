// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "driver/core/result.hpp"
#include "hooks/rewrite/domain_xml.hpp"
#include "hooks/rewrite/known_volumes.hpp"

namespace sfg::hooks {

// Whether a guest can start on this host, as far as its gluster images go; else an error, a
// sentence that names the guest, the disk, the volume and the command that mends it:
//   - a network disk, and the emulator has no gluster driver;
//   - a file below a mount point of a gluster volume that is not mounted, or whose mount's client
//     has died: the guest would start on the empty directory below, or not at all;
//   - a qcow2 image that does not open over gfapi.
// What cannot be found out refuses nothing, and a mount that does not answer just now neither: a
// brick may be failing over, which takes 42 seconds by default. Takes ten seconds or so at most.
// May have autofs mount what is to be mounted.
//
// `mountinfo_now` is the mount table anew.
Result<void> check_start(DomainXml& domain, const KnownVolumes& volumes,
                         const std::function<std::string()>& mountinfo_now);

}  // namespace sfg::hooks
