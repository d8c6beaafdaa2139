// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hooks/rewrite/found_image.hpp"
#include "hooks/rewrite/known_volumes.hpp"

namespace sfg::hooks {

// One image that got another source.
struct Rewritten {
    std::string disk;  // its target, "vda"
    std::string from;  // as messages name it: "shakenfist/a" or "/srv/shakenfist/a"
    std::string to;
};

// A gluster image of a volume that is not known, or not for sure.
struct Left {
    std::string disk;
    std::string image;
    std::string why;
};

// What became of the images of a document. Local files, other protocols and images that were right
// already are in neither.
struct Outcome {
    std::vector<Rewritten> rewritten;
    std::vector<Left> left;
};

// Which access an image gets. An error ends the rewriting; it begins with what is wrong, not with
// the disk.
using Chooser = std::function<Result<Access>(const FoundImage&)>;

// Gives every image of a known gluster volume, the disks' own and those of their <backingStore>
// chains, the access that `choose` says, and changes nothing else. Images of other volumes, other
// protocols and local files stay; so do files with a startupPolicy or
// <transient/>, which libvirt takes for local files alone, and those given by descriptor (fdgroup)
// (domain_validate.c, virDomainDiskDefValidateStartupPolicy).
//
// Errors name the disk: unsupported where no mount shows the image, or no server of its volume is
// known; invalid where its name leads out of the volume. `domain` is then half rewritten: throw it
// away.
Result<Outcome> rewrite_images(DomainXml& domain, const KnownVolumes& volumes,
                               const Chooser& choose);

}  // namespace sfg::hooks
