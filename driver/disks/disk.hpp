// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "driver/core/log.hpp"
#include "driver/gluster/address.hpp"

namespace sfg {

// An image of a guest's disk, or a base of one, as libvirt's qemu driver names it: not by a pool.
struct Disk {
    VolumeAddress address;
    std::string path;  // from the volume's root
    // The servers stand in the header of an image, and nobody but the image has named them here.
    bool named_by_image = false;

    std::string described() const {
        return "gluster disk '" + escaped(address.volume) + "/" + escaped(path) + "'";
    }
};

}  // namespace sfg
