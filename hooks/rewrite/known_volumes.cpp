// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/known_volumes.hpp"

#include <strings.h>

#include <algorithm>
#include <set>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "hooks/rewrite/gluster_source.hpp"
#include "hooks/rewrite/shell_word.hpp"
#include "hooks/rewrite/volume_groups.hpp"

namespace sfg::hooks {
namespace {

constexpr std::size_t kLongestPath = 4095;  // bytes; PATH_MAX without its NUL

bool shows(const FuseMount& real, const std::string& volume, const MountedDirectory& mount) {
    return real.mount_point == mount.mount_point && real.volume == volume &&
           real.directory == mount.directory;
}

// What mounts a volume where no fstab and no pool says how.
std::string mount_command(const KnownVolume& volume, const MountedDirectory& mount) {
    if (volume.servers.empty()) return "";
    // glusterd's socket is on this host; mount.glusterfs has ':' between servers.
    auto host_of = [](const Server& server) {
        if (server.is_local()) return std::string("localhost");
        return server.host.find(':') == std::string::npos ? server.host : "[" + server.host + "]";
    };
    std::string options;
    for (std::size_t i = 1; i < volume.servers.size(); ++i)
        options += (i == 1 ? "backup-volfile-servers=" : ":") + host_of(volume.servers[i]);
    const Server& first = volume.servers[0];
    if (first.port != 0 && first.port != kGlusterdPort)
        options += (options.empty() ? "" : ",") + ("server-port=" + std::to_string(first.port));
    return "mount -t glusterfs " + (options.empty() ? "" : "-o " + shell_word(options) + " ") +
           shell_word(host_of(first) + ":/" + join_path(volume.name, mount.directory)) + " " +
           shell_word(mount.mount_point);
}

// A pool whose mount is gone is active all the same.
std::string pool_command(const std::string& name) {
    const std::string word = shell_word(name);
    return "virsh pool-destroy " + word + "; virsh pool-start " + word;
}

// By its socket, host or address.
Server server_of(const FuseMount& mount) {
    return mount.server.starts_with('/') ? Server{"", 0, mount.server} : Server{mount.server};
}

// All names of this host that need no looking up are one.
std::string host_name(const Server& server) {
    if (server.is_local() || server.host == "::1" || server.host.starts_with("127."))
        return "localhost";
    return server.host;
}

bool has_host(const std::vector<Server>& servers, const Server& wanted) {
    return std::any_of(servers.begin(), servers.end(), [&](const Server& server) {
        return strcasecmp(host_name(server).c_str(), host_name(wanted).c_str()) == 0;
    });
}

void add_new(std::vector<Server>& servers, const std::vector<Server>& more) {
    for (const auto& server : more)
        if (!has_server(servers, server)) servers.push_back(server);
}

}  // namespace

Result<KnownVolumes> KnownVolumes::make(const HostDescription& host) {
    KnownVolumes known;
    const auto table = parse_fuse_mounts(host.mountinfo);
    SFG_TRY(known.add_configured(host.configuration, table));
    known.pools_ = host.pools;
    known.host_ = host;
    known.mount_points_ = parse_mount_points(host.mountinfo);
    known.add_mounts(host, table);
    known.add_servers(host, table);
    for (auto& [name, volume] : known.volumes_)
        for (auto& mount : volume.mounts)
            if (mount.mount_command.empty()) mount.mount_command = mount_command(volume, mount);
    return known;
}

Result<void> KnownVolumes::add_configured(const std::string& configuration,
                                          const std::vector<FuseMount>& table) {
    SFG_TRY_ASSIGN(const auto groups, read_volume_groups(configuration));
    for (const auto& group : groups) {
        auto refuse = [&](const std::string& why) {
            return Error(ErrorKind::invalid, "[volume " + group.name + "]: " + why);
        };
        KnownVolume volume{group.name, group.servers, {}, group.access, true};
        if (!group.mount_point.empty()) {
            for (const auto& [name, other] : volumes_)
                for (const auto& taken : other.mounts)
                    if (taken.mount_point == group.mount_point)
                        return refuse("mount " + escaped(group.mount_point) + " is also that of " +
                                      name);
            MountedDirectory mount{group.directory, group.mount_point, false, true};
            for (const FuseMount& real : table) {
                if (real.mount_point != mount.mount_point) continue;
                if (!shows(real, group.name, mount))
                    return refuse("'" + escaped(join_path(real.volume, real.directory)) +
                                  "' is mounted on " + escaped(mount.mount_point));
                mount.mounted = true;
            }
            volume.mounts.push_back(std::move(mount));
        }
        volumes_[group.name] = std::move(volume);
    }
    return {};
}

bool KnownVolumes::has_mount_point(const std::string& mount_point) const {
    return std::any_of(volumes_.begin(), volumes_.end(), [&](const auto& volume) {
        return std::any_of(volume.second.mounts.begin(), volume.second.mounts.end(),
                           [&](const auto& mount) { return mount.mount_point == mount_point; });
    });
}

void KnownVolumes::add_mount(const std::string& name, const MountedDirectory& mount) {
    KnownVolume& volume = volumes_[name];
    volume.name = name;
    for (auto& known : volume.mounts)
        if (known.mount_point == mount.mount_point && known.directory == mount.directory &&
            known.mount_command.empty()) {
            known.mount_command = mount.mount_command;
            known.remembered = known.remembered || mount.remembered;
        }
    if (!has_mount_point(mount.mount_point)) volume.mounts.push_back(mount);
}

void KnownVolumes::add_mounts(const HostDescription& host, const std::vector<FuseMount>& table) {
    std::set<std::string> configured;
    for (const auto& [name, volume] : volumes_)
        if (!volume.mounts.empty()) configured.insert(name);
    auto add = [&](const std::string& volume, const MountedDirectory& mount) {
        if (!configured.contains(volume)) {
            add_mount(volume, mount);
            return;
        }
        // The configuration's mount, of which somebody else knows how it is made.
        for (auto& known : volumes_[volume].mounts)
            if (known.mount_point == mount.mount_point && known.directory == mount.directory &&
                known.mount_command.empty())
                known.mount_command = mount.mount_command;
    };
    // What is mounted goes before what is to be.
    for (const FuseMount& real : table)
        if (is_volume_name(real.volume))
            add(real.volume, {real.directory, real.mount_point, true, false, ""});
    for (const auto& entry : parse_fstab(host.fstab))
        add(entry.source.volume, {entry.source.directory, entry.mount_point, false, true,
                                  "mount " + shell_word(entry.mount_point)});
    for (const auto& pool : host.pools)
        if (!pool.mount_point.empty())
            add(pool.volume,
                {pool.directory, pool.mount_point, false, true, pool_command(pool.name)});
}

void KnownVolumes::add_servers(const HostDescription& host, const std::vector<FuseMount>& table) {
    for (const auto& pool : host.pools) volumes_[pool.volume].name = pool.volume;
    std::set<std::string> unserved;
    auto without_servers = [&] {
        unserved.clear();
        for (const auto& [name, volume] : volumes_)
            if (volume.servers.empty()) unserved.insert(name);
    };
    auto add = [&](const std::string& volume, const std::vector<Server>& servers) {
        if (unserved.contains(volume)) add_new(volumes_[volume].servers, servers);
    };
    without_servers();
    for (const auto& pool : host.pools)
        if (pool.mount_point.empty()) add(pool.volume, pool.servers);
    without_servers();
    for (const FuseMount& mount : table) {
        // A server by its socket, host or address.
        add(mount.volume,
            {mount.server.starts_with('/') ? Server{"", 0, mount.server} : Server{mount.server}});
        if (unserved.contains(mount.volume)) served_by_mounts_[mount.volume].push_back(mount);
    }
    for (const auto& entry : parse_fstab(host.fstab))
        add(entry.source.volume, entry.source.servers);
    without_servers();
    for (const auto& pool : host.pools) add(pool.volume, pool.servers);

    auto note = [&](const std::string& volume, const std::vector<Server>& servers) {
        if (!servers.empty()) sources_[volume].push_back(servers);
    };
    for (const auto& pool : host.pools) note(pool.volume, pool.servers);
    for (const FuseMount& mount : table) note(mount.volume, {server_of(mount)});
    for (const auto& entry : parse_fstab(host.fstab))
        note(entry.source.volume, entry.source.servers);
}

bool KnownVolumes::share_a_server(const std::vector<Server>& a,
                                  const std::vector<Server>& b) const {
    for (const auto& one : a)
        for (const auto& other : b)
            if (strcasecmp(host_name(one).c_str(), host_name(other).c_str()) == 0) return true;
    if (!host_.addresses_of) return false;
    const auto ours = host_.addresses_of(a), theirs = host_.addresses_of(b);
    return std::find_first_of(ours.begin(), ours.end(), theirs.begin(), theirs.end()) != ours.end();
}

std::vector<Server> KnownVolumes::bricks_of(const KnownVolume& volume) const {
    std::vector<Server> bricks;
    if (host_.bricks_of_mount)
        for (const auto& mount : volume.mounts)
            if (mount.mounted) add_new(bricks, host_.bricks_of_mount(mount.mount_point));
    return bricks;
}

std::string KnownVolumes::why_another(const KnownVolume& volume,
                                      const std::vector<Server>& servers) const {
    if (volume.configured) return "";
    auto known = servers_of(volume);
    for (const auto& server : servers)
        if (has_host(known, server)) return "";
    add_new(known, bricks_of(volume));
    if (share_a_server(known, servers)) return "";
    return "the '" + volume.name + "' that is known on this host is served by " +
           names_of(volume.servers) + ": if it is the one on " + escaped(names_of(servers)) +
           ", say so by servers= in [volume " + volume.name + "] of sf-gluster.conf";
}

std::string KnownVolumes::why_ambiguous(const KnownVolume& volume) const {
    const auto sources = sources_.find(volume.name);
    if (volume.configured || sources == sources_.end()) return "";
    const auto known = ambiguous_.find(volume.name);
    if (known != ambiguous_.end()) return known->second;
    // Those that belong to the first, by one server or another.
    auto cluster = sources->second.front();
    std::vector<std::vector<Server>> others(sources->second.begin() + 1, sources->second.end());
    bool with_bricks = false;
    for (bool grown = true; grown && !others.empty();) {
        const auto before = others.size();
        std::erase_if(others, [&](const auto& other) {
            if (!share_a_server(cluster, other)) return false;
            add_new(cluster, other);
            return true;
        });
        grown = others.size() < before;
        if (!grown && !with_bricks) {
            // Which mount is of which cluster is not known yet: one bridge is enough.
            for (const auto& mount : volume.mounts)
                if (mount.mounted && host_.bricks_of_mount) {
                    const auto bricks = host_.bricks_of_mount(mount.mount_point);
                    if (!bricks.empty()) others.push_back(bricks);
                }
            with_bricks = grown = true;
        }
    }
    std::string why;
    // What is left of bricks' own lists says nothing new.
    for (const auto& other : others)
        if (std::find(sources->second.begin(), sources->second.end(), other) !=
            sources->second.end())
            why = "this host knows a '" + volume.name + "' of " + names_of(cluster) +
                  " and one of " + names_of(other) +
                  ": which is meant has to be said by servers= and mount= in [volume " +
                  volume.name + "] of sf-gluster.conf";
    return ambiguous_[volume.name] = why;
}

std::vector<const KnownVolume*> KnownVolumes::all() const {
    std::vector<const KnownVolume*> found;
    for (const auto& [name, volume] : volumes_) found.push_back(&volume);
    return found;
}

std::vector<Server> KnownVolumes::servers_of(const KnownVolume& volume) const {
    auto servers = volume.servers;
    const auto mounts = served_by_mounts_.find(volume.name);
    if (mounts != served_by_mounts_.end() && host_.servers_of_mount)
        for (const auto& mount : mounts->second) add_new(servers, host_.servers_of_mount(mount));
    return servers;
}

const KnownVolume* KnownVolumes::find(const std::string& name) const {
    const auto found = volumes_.find(name);
    return found == volumes_.end() ? nullptr : &found->second;
}

std::optional<PlaceOnHost> KnownVolumes::local_path(const KnownVolume& volume,
                                                    const std::string& path) const {
    std::optional<PlaceOnHost> best;
    for (const auto& mount : volume.mounts) {
        if (!is_below(path, mount.directory)) continue;
        if (best && std::pair(!mount.mounted, mount.directory.size()) >=
                        std::pair(!best->mount->mounted, best->mount->directory.size()))
            continue;
        const std::string candidate =
            (mount.mount_point == "/" ? "" : mount.mount_point) + "/" +
            (mount.directory.empty() ? path : path.substr(mount.directory.size() + 1));
        const auto back = locate(candidate);
        if (!back || back->volume != &volume || back->path != path) continue;
        best = PlaceOnHost{candidate, &mount};
    }
    return best;
}

std::optional<PlaceInVolume> KnownVolumes::locate(const std::string& local_path) const {
    if (local_path.size() > kLongestPath) return std::nullopt;
    std::optional<PlaceInVolume> best;
    std::size_t longest = 0;
    for (const auto& [name, volume] : volumes_) {
        for (const auto& mount : volume.mounts) {
            const std::string point = mount.mount_point == "/" ? "" : mount.mount_point;
            if (!local_path.starts_with(point + "/") || (best && point.size() <= longest)) continue;
            const std::string below = local_path.substr(point.size() + 1);
            if (normalized(below).value_or("").empty()) continue;
            longest = point.size();
            best = PlaceInVolume{&volume, join_path(mount.directory, below), &mount};
        }
    }
    if (!best) return std::nullopt;
    const auto plain = normalized(local_path);
    for (const auto& point : mount_points_)
        if (plain && point.size() > std::max<std::size_t>(longest, 1) &&
            is_below("/" + *plain, point))
            return std::nullopt;
    return best;
}

}  // namespace sfg::hooks
