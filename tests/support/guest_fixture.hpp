// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "tests/support/guest.hpp"
#include "tests/support/pool_fixture.hpp"

namespace sfg::test {

// Guests on the volumes of a test's pool, all under Debian's default qemu.conf: they run as
// libvirt-qemu, each in a mount namespace, and libvirt changes the owners of their disks.
class GuestTest : public PoolTest {
  protected:
    // A gluster disk of the pool's volume `name`, on the gluster node.
    DiskSpec on_gluster(const std::string& name) const;
    DiskSpec on_gluster(const std::string& name, const std::vector<std::string>& hosts) const;
    DiskSpec on_fuse(const std::string& name) const;
    // <source> of such a disk.
    std::string source(const std::string& name) const { return on_gluster(name).source; }

    // A guest "guest" whose qemu closes its disks at once.
    Answer<Guest> run(const std::vector<DiskSpec>& disks, const std::string& name = "guest");

    // An image over FUSE as qemu-img makes it, with a base by any name at all: it is not opened.
    // Padded, so that qemu opens it over gfapi.
    void make_overlay(const std::string& name, const std::string& base,
                      const std::string& size = "64M") const;

    // The volume's path from the root of the gluster volume.
    std::string in_volume(const std::string& name) const;
    // The name of a network disk as libvirt shows it: gluster volume and path.
    std::string shown(const std::string& name) const;

    uid_t owner(const std::string& name) const;
    static uid_t qemus_user();
    // Whose a disk is after its guest's end that was `before`'s. libvirt 11.3.0 gives no network
    // disk back: it asks first whether there is a local file of its name, and it has none
    // (security_dac.c, virSecurityDACRestoreFileLabelInternal).
    static uid_t owner_afterwards(uid_t before);
};

}  // namespace sfg::test
