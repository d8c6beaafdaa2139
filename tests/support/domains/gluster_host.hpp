// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace sfg::test {

// A gluster volume of the host that random documents are rewritten on.
struct HostVolume {
    std::string name;
    std::string directory;           // of the volume, the one that is mounted; "" for its root
    std::string mount_point;         // absolute
    std::vector<std::string> hosts;  // as libvirt writes them, without white space
};

// Volume2 and /var/lib/libvirt/images are in libvirt's own test documents.
inline const std::vector<HostVolume> kHostVolumes = {
    {"shakenfist",
     "",
     "/srv/sf",
     {"<host name='sf-1' port='24007'/>", "<host name='sf-2' port='24008'/>",
      "<host transport='unix' socket='/run/glusterd.socket'/>"}},
    {"Volume2", "images", "/var/lib/libvirt/images", {"<host name='fd00::1' port='24007'/>"}},
    {"by-table", "", "/mnt/by table", {"<host name='sf-3' port='24007'/>"}},
};

// What hides a part of the first volume: another file system.
inline const std::string kHidden = "/srv/sf/other";

// The same for sf-gluster: its configuration and the mount table.
inline const std::string kHostConfiguration =
    "[volume shakenfist]\n"
    "servers=sf-1;sf-2:24008;/run/glusterd.socket\n"
    "mount=/srv/sf\n"
    "[volume Volume2]\n"
    "servers=fd00::1\n"
    "mount=/var/lib/libvirt/images\n"
    "mount-directory=images\n"
    "[volume by-table]\n"
    "access=auto\n";
inline const std::string kHostMountinfo =
    "22 1 254:0 / / rw - ext4 /dev/vda rw\n"
    "90 22 0:50 / /srv/sf rw - fuse.glusterfs sf-1:/shakenfist rw,user_id=0\n"
    "91 90 0:51 / /srv/sf/other rw - tmpfs tmpfs rw\n"
    "92 22 0:52 / /mnt/by\\040table rw - fuse.glusterfs sf-3:/by-table rw,user_id=0\n";

}  // namespace sfg::test
