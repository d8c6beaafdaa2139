// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"

namespace sfg::hooks {

// How a guest reaches the images of a gluster volume.
enum class Access {
    network,  // <disk type='network'>: qemu's own gluster driver
    file,     // <disk type='file'> on a FUSE mount
};

// ErrorKind::invalid for another word than network and file.
Result<Access> parse_access(const std::string& word);

// Where a directory of a gluster volume is mounted on this host.
struct MountedDirectory {
    std::string directory;    // in the volume, normalized; "" is its root
    std::string mount_point;  // absolute, normalized
};

struct KnownVolume {
    std::string name;
    std::vector<Server> servers;
    std::vector<MountedDirectory> mounts;
};

// A file in a known volume.
struct PlaceInVolume {
    const KnownVolume* volume;
    std::string path;  // from the volume's root, below the mount as it was written
};

// The gluster volumes that the rewriting may touch: those of the configuration and those that are
// mounted on this host. Groups of /etc/libvirt/sf-gluster.conf (GKeyFile):
//
//   [volume shakenfist]
//   servers=sf-1;sf-2:24007;/run/glusterd.socket
//   mount=/srv/shakenfist
//   mount-directory=instances
//
// mount-directory is given when only that directory of the volume is mounted there.
//
// Mounts and servers that the configuration names for a volume stand instead of those that the
// mount table tells, but a mount that the table has there of something else is an error.
class KnownVolumes {
  public:
    // `configuration` is the file's text, `mountinfo` that of /proc/self/mountinfo.
    // ErrorKind::invalid says what in the configuration cannot be right.
    static Result<KnownVolumes> make(const std::string& configuration, std::string mountinfo);

    const KnownVolume* find(const std::string& name) const;

    // Both ways: what follows the mount point stays as it is written. libvirt writes the base of
    // instances/u/vda as instances/u/../../image_cache/x; where u is a link, the kernel and gfapi
    // take that the same way, which is not what the text seems to say. No file system is touched.

    // Where `path` (from the volume's root) is on this host, on the mount that shows the most of
    // those that show it; nothing where none does, where another file system is mounted in between,
    // and for a path whose ".." lead out of what is mounted.
    std::optional<std::string> local_path(const KnownVolume& volume, const std::string& path) const;

    // Which volume a local file is in, by the longest mount point that its path begins with;
    // nothing where another file system is mounted in between, and where ".." lead out of the
    // mount.
    std::optional<PlaceInVolume> locate(const std::string& local_path) const;

  private:
    // Whether no other volume has these mounts, here or in the mount table.
    Result<void> check_mounts(const KnownVolume& volume, const std::string& mountinfo) const;

    std::map<std::string, KnownVolume> volumes_;
    std::string mountinfo_;
};

}  // namespace sfg::hooks
