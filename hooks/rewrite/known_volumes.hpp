// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "driver/core/fuse_mounts.hpp"
#include "driver/core/result.hpp"
#include "driver/gluster/address.hpp"
#include "hooks/rewrite/access.hpp"
#include "hooks/rewrite/pool_document.hpp"

namespace sfg::hooks {

// What a host says of its gluster volumes, as text; hooks/host reads it from a real one.
struct HostDescription {
    std::string configuration = {};        // of /etc/libvirt/sf-gluster.conf, see VolumeGroup
    std::string mountinfo = {};            // of /proc/self/mountinfo
    std::string fstab = {};                // of /etc/fstab
    std::vector<PoolDocument> pools = {};  // of /etc/libvirt/storage and /run/libvirt/storage
    // All volfile servers of a mount, which the mount table does not tell; may be null. Asked where
    // nothing else names servers: it takes a look at each process.
    std::function<std::vector<Server>(const FuseMount&)> servers_of_mount = {};
    // The hosts of the bricks of the volume that is mounted there; may be null.
    std::function<std::vector<Server>(const std::string& mount_point)> bricks_of_mount = {};
    // Addresses by which servers are reached, those of this host for one that is on it; may be
    // null. Asked where names alone do not tell whether two lists of servers are one cluster's.
    std::function<std::vector<std::string>(const std::vector<Server>&)> addresses_of = {};
};

// Where a directory of a gluster volume is mounted on this host, or is to be.
struct MountedDirectory {
    std::string directory = {};      // in the volume, normalized; "" is its root
    std::string mount_point = {};    // absolute, normalized
    bool mounted = false;            // the mount table has it
    bool remembered = false;         // the configuration, fstab or a pool has it
    std::string mount_command = {};  // for a shell: what mounts it; "" where that is not known
};

struct KnownVolume {
    std::string name;
    std::vector<Server> servers;  // those that are known without looking far: see servers_of
    std::vector<MountedDirectory> mounts;
    std::optional<Access> access;  // of the configuration; nothing: auto
    bool configured = false;       // there is a group for it
};

// A file in a known volume.
struct PlaceInVolume {
    const KnownVolume* volume;
    std::string path;               // from the volume's root, below the mount as it was written
    const MountedDirectory* mount;  // that it was named by
};

// A file of a known volume on this host.
struct PlaceOnHost {
    std::string path;  // absolute
    const MountedDirectory* mount;
};

// The gluster volumes that the rewriting may touch: those of the configuration, those of libvirt's
// pools, and those that are, or by /etc/fstab are to be, mounted on this host.
//
// Mounts that the configuration names for a volume stand instead of all others, but a mount that
// the table has there of something else is an error. Servers are those of the configuration, else
// those of gluster pools, else those that the volume was, or is to be, mounted from.
class KnownVolumes {
  public:
    // ErrorKind::invalid says what in the configuration cannot be right.
    static Result<KnownVolumes> make(const HostDescription& host);

    const KnownVolume* find(const std::string& name) const;

    // By name.
    std::vector<const KnownVolume*> all() const;

    // A name alone does not say which cluster's volume is meant: many have a "gv0". Each of these
    // is
    // "" or the end of a sentence on why not.

    // Whether a network disk on these servers is in `volume`: the configuration has a group for it,
    // or one of them is among its servers, or among those of its bricks.
    std::string why_another(const KnownVolume& volume, const std::vector<Server>& servers) const;
    // Whether all that this host knows by the volume's name is of one cluster.
    std::string why_ambiguous(const KnownVolume& volume) const;

    // All servers of a volume, for a network disk.
    std::vector<Server> servers_of(const KnownVolume& volume) const;

    // Both ways: what follows the mount point stays as it is written. libvirt writes the base of
    // instances/u/vda as instances/u/../../image_cache/x; where u is a link, the kernel and gfapi
    // take that the same way, which is not what the text seems to say. No file system is touched.

    // Where `path` (from the volume's root) is on this host, on the mount that shows the most of
    // those that show it, if one can on one that is mounted; nothing where none does, where another
    // file system is mounted in between, and for a path whose ".." lead out of what is mounted.
    std::optional<PlaceOnHost> local_path(const KnownVolume& volume, const std::string& path) const;

    // Which volume a local file is in, by the longest mount point that its path begins with;
    // nothing where another file system is mounted in between, and where ".." lead out of the
    // mount.
    std::optional<PlaceInVolume> locate(const std::string& local_path) const;

    // Pools of libvirt that have gluster volumes, in no order.
    const std::vector<PoolDocument>& pools() const { return pools_; }

  private:
    Result<void> add_configured(const std::string& configuration,
                                const std::vector<FuseMount>& table);
    void add_mounts(const HostDescription& host, const std::vector<FuseMount>& table);
    void add_servers(const HostDescription& host, const std::vector<FuseMount>& table);
    // By pools and fstab; nothing is added where the mount point is known already.
    void add_mount(const std::string& volume, const MountedDirectory& mount);
    bool has_mount_point(const std::string& mount_point) const;

    std::map<std::string, KnownVolume> volumes_;
    std::vector<PoolDocument> pools_;
    std::vector<std::string> mount_points_;  // of everything that is mounted
    // Of volumes whose servers nothing else names.
    std::map<std::string, std::vector<FuseMount>> served_by_mounts_;
    // Of volumes without a group: the servers that each mount, entry and pool has.
    std::map<std::string, std::vector<std::vector<Server>>> sources_;
    HostDescription host_;                                  // for its functions
    mutable std::map<std::string, std::string> ambiguous_;  // what why_ambiguous said

    std::vector<Server> bricks_of(const KnownVolume& volume) const;
    bool share_a_server(const std::vector<Server>& a, const std::vector<Server>& b) const;
};

}  // namespace sfg::hooks
