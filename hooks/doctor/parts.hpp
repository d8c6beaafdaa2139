// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "hooks/doctor/finding.hpp"
#include "hooks/rewrite/known_volumes.hpp"

namespace sfg::doctor {

// The parts of examine().

// Which modules libvirtd will load and why: as the loader (driver/libvirt/loader.c) does it in the
// libvirt that is installed, "9.0.0". `libdir` is the folder with libvirt/ and sf-gluster/.
Findings check_modules(const std::string& libdir, const std::string& version);

// The hook, and whether the libvirtd that runs was started since it is there.
Findings check_hook(const std::string& path);

// Each of qemu's emulators for whole systems on this host.
Findings check_emulators();

// Whether each known volume can be reached as qemu's user, and its options.
Findings check_volumes(const hooks::KnownVolumes& volumes);

// Whether what is to be mounted is, and answers.
Findings check_mounts(const hooks::KnownVolumes& volumes, const std::string& mountinfo);

// qcow2 images on mounted volumes that are no multiple of 512 bytes long.
Findings check_images(const hooks::KnownVolumes& volumes);

// Whether AppArmor, where it is on, lets guests and libvirt at gluster.
Findings check_apparmor(const std::string& directory = "/etc/apparmor.d",
                        const std::string& switch_file = "/sys/module/apparmor/parameters/enabled",
                        const std::string& profiles = "/sys/kernel/security/apparmor/profiles");

}  // namespace sfg::doctor
