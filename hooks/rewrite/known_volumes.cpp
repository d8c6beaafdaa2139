// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/known_volumes.hpp"

#include <algorithm>
#include <set>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "hooks/rewrite/gluster_source.hpp"
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
    std::string backups;
    for (std::size_t i = 1; i < volume.servers.size(); ++i)
        backups += (i == 1 ? "backup-volfile-servers=" : ":") + volume.servers[i].name();
    const std::string server = volume.servers.empty() ? "SERVER" : volume.servers[0].name();
    return "mount -t glusterfs " + (backups.empty() ? "" : "-o " + shell_word(backups) + " ") +
           shell_word(server + ":/" + join_path(volume.name, mount.directory)) + " " +
           shell_word(mount.mount_point);
}

void add_new(std::vector<Server>& servers, const std::vector<Server>& more) {
    for (const auto& server : more)
        if (!has_server(servers, server)) servers.push_back(server);
}

}  // namespace

std::string shell_word(const std::string& text) {
    const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_./:=,@%+-").find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (plain) return text;
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'')
            word += "'\\''";
        else
            word += c;
    }
    return word + "'";
}

Result<KnownVolumes> KnownVolumes::make(const HostDescription& host) {
    KnownVolumes known;
    const auto table = parse_fuse_mounts(host.mountinfo);
    SFG_TRY(known.add_configured(host.configuration, table));
    known.pools_ = host.pools;
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
        KnownVolume volume{group.name, group.servers, {}, group.access};
        if (!group.mount_point.empty()) {
            for (const auto& [name, other] : volumes_)
                for (const auto& taken : other.mounts)
                    if (taken.mount_point == group.mount_point)
                        return refuse("mount " + escaped(group.mount_point) + " is also that of " +
                                      name);
            MountedDirectory mount{group.directory, group.mount_point};
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
            known.mount_command.empty())
            known.mount_command = mount.mount_command;
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
            add(real.volume, {real.directory, real.mount_point, true, ""});
    for (const auto& entry : parse_fstab(host.fstab))
        add(entry.source.volume, {entry.source.directory, entry.mount_point, false,
                                  "mount " + shell_word(entry.mount_point)});
    for (const auto& pool : host.pools)
        if (!pool.mount_point.empty())
            add(pool.volume, {pool.directory, pool.mount_point, false,
                              "virsh pool-start " + shell_word(pool.name)});
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
    servers_of_mount_ = host.servers_of_mount;
}

std::vector<const KnownVolume*> KnownVolumes::all() const {
    std::vector<const KnownVolume*> found;
    for (const auto& [name, volume] : volumes_) found.push_back(&volume);
    return found;
}

std::vector<Server> KnownVolumes::servers_of(const KnownVolume& volume) const {
    auto servers = volume.servers;
    const auto mounts = served_by_mounts_.find(volume.name);
    if (mounts != served_by_mounts_.end() && servers_of_mount_)
        for (const auto& mount : mounts->second) add_new(servers, servers_of_mount_(mount));
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
