// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sfg {

// A FUSE mount of a gluster volume (fuse.glusterfs) that root made. Others are nobody's word.
struct FuseMount {
    std::string volume;       // the gluster volume's name
    std::string directory;    // the directory of the volume that is mounted, normalized; "": all
    std::string mount_point;  // absolute
    std::string server;       // where the volume file was had; no brackets around an IPv6 address
};

// Those that nothing is mounted over, but for mounts of snapshots and of what no volume is known
// of, in the order of `mountinfo`, the text of /proc/self/mountinfo (proc(5)).
std::vector<FuseMount> parse_fuse_mounts(std::string_view mountinfo);

// Where anything is mounted, absolute.
std::vector<std::string> parse_mount_points(std::string_view mountinfo);

// The mountinfo of this process.
std::string own_mountinfo();

// A local path below a mounted gluster volume.
struct FusePath {
    // The gluster volume's name; empty where the mount does not tell, as it is with one of a volume
    // file of this host: the path may be any file of any volume then.
    std::string volume;
    std::string path;         // from the volume's root, normalized
    std::string mount_point;  // absolute
    std::string below;        // the path below the mount point, normalized; "" is the mount point
};

// Does `path`, absolute and normalized by this function, lie on a FUSE mount of a gluster volume?
// A mount of a subdirectory (host:/volume/dir) is taken into account. No file system is touched.
std::optional<FusePath> parse_fuse_path(const std::string& path, std::string_view mountinfo);

// The same with own_mountinfo().
std::optional<FusePath> fuse_path(const std::string& path);

// The gfid that a FUSE mount tells of the file at `path`, in gluster's text form; empty where it
// does not. Unlike a name it is proof that two paths lead to one file.
std::string gfid_over_fuse(const std::string& path);

}  // namespace sfg
