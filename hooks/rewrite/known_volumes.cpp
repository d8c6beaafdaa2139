// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/known_volumes.hpp"

#include <glib.h>

#include <charconv>
#include <memory>

#include "driver/core/fuse_mounts.hpp"
#include "driver/core/path.hpp"

namespace sfg::hooks {
namespace {

constexpr std::string_view kGroup = "volume ";

using KeyFile = std::unique_ptr<GKeyFile, decltype(&g_key_file_free)>;
using Words = std::unique_ptr<char*, decltype(&g_strfreev)>;

std::string value_of(GKeyFile* file, const char* group, const char* key) {
    const std::unique_ptr<char, decltype(&g_free)> text(
        g_key_file_get_string(file, group, key, nullptr), &g_free);
    return text ? text.get() : "";
}

// host, host:port, [IPv6]:port or the path of a socket.
Result<Server> parse_server(const std::string& word) {
    if (word.starts_with('/')) return Server{"", 0, word};
    Server server{word};
    const auto colon = word.rfind(':');
    const bool bracketed = word.starts_with('[');
    if (bracketed || (colon != std::string::npos && word.find(':') == colon)) {
        const auto host_end = bracketed ? word.find(']') : colon;
        if (host_end == std::string::npos)
            return Error(ErrorKind::invalid, "there is no ']' in '" + word + "'");
        server.host = bracketed ? word.substr(1, host_end - 1) : word.substr(0, colon);
        const std::string rest = word.substr(host_end + (bracketed ? 1 : 0));
        if (!rest.empty()) {
            const char* const end = rest.data() + rest.size();
            const auto [stopped, fault] = std::from_chars(rest.data() + 1, end, server.port);
            if (rest[0] != ':' || fault != std::errc() || stopped != end || server.port < 1 ||
                server.port > 65535)
                return Error(ErrorKind::invalid, "'" + word + "' is not host:port");
        }
    }
    if (server.host.empty()) return Error(ErrorKind::invalid, "'" + word + "' names no host");
    return server;
}

Result<KnownVolume> read_volume(GKeyFile* file, const char* group) {
    KnownVolume volume;
    volume.name = std::string_view(group).substr(kGroup.size());
    if (!is_volume_name(volume.name))
        return Error(ErrorKind::invalid, "'" + volume.name + "' is no name of a gluster volume");
    const Words servers(g_key_file_get_string_list(file, group, "servers", nullptr, nullptr),
                        &g_strfreev);
    for (char** word = servers.get(); word != nullptr && *word != nullptr; ++word) {
        SFG_TRY_ASSIGN(auto server, parse_server(*word));
        volume.servers.push_back(std::move(server));
    }
    const std::string mount = value_of(file, group, "mount");
    const auto directory = normalized(value_of(file, group, "mount-directory"));
    if (!directory) return Error(ErrorKind::invalid, "mount-directory leads out of the volume");
    if (!mount.empty()) {
        const auto point = normalized(mount);
        if (!mount.starts_with('/') || !point)
            return Error(ErrorKind::invalid, "mount must be an absolute path");
        volume.mounts.push_back({*directory, "/" + *point});
    }
    return volume;
}

}  // namespace

Result<Access> parse_access(const std::string& word) {
    if (word == "network") return Access::network;
    if (word == "file") return Access::file;
    return Error(ErrorKind::invalid, "the access must be network or file, not '" + word + "'");
}

std::optional<std::string> KnownVolume::local_path(const std::string& path) const {
    const MountedDirectory* best = nullptr;
    for (const auto& mount : mounts)
        if (is_below(path, mount.directory) &&
            (best == nullptr || mount.directory.size() < best->directory.size()))
            best = &mount;
    if (best == nullptr) return std::nullopt;
    const std::string below =
        best->directory.empty() ? path : path.substr(best->directory.size() + 1);
    return (best->mount_point == "/" ? "" : best->mount_point) + "/" + below;
}

Result<KnownVolumes> KnownVolumes::make(const std::string& configuration, std::string mountinfo) {
    KnownVolumes known;
    const KeyFile file(g_key_file_new(), &g_key_file_free);
    GError* failure = nullptr;
    if (!configuration.empty() &&
        g_key_file_load_from_data(file.get(), configuration.data(), configuration.size(),
                                  G_KEY_FILE_NONE, &failure) == FALSE) {
        const Error error(ErrorKind::invalid, failure->message);
        g_clear_error(&failure);
        return error;
    }
    const Words groups(g_key_file_get_groups(file.get(), nullptr), &g_strfreev);
    for (char** group = groups.get(); *group != nullptr; ++group) {
        if (!std::string_view(*group).starts_with(kGroup)) continue;
        auto volume = read_volume(file.get(), *group);
        if (!volume) return volume.error().with_context("[" + std::string(*group) + "]");
        known.volumes_[volume->name] = *volume;
    }
    const auto configured = known.volumes_;
    for (const FuseMount& mount : parse_fuse_mounts(mountinfo)) {
        if (!is_volume_name(mount.volume)) continue;
        KnownVolume& volume = known.volumes_[mount.volume];
        volume.name = mount.volume;
        const auto said = configured.find(mount.volume);
        if (said == configured.end() || said->second.mounts.empty())
            volume.mounts.push_back({mount.directory, mount.mount_point});
        if (const Server server{mount.server};
            (said == configured.end() || said->second.servers.empty()) &&
            !has_server(volume.servers, server))
            volume.servers.push_back(server);
    }
    known.mountinfo_ = std::move(mountinfo);
    return known;
}

const KnownVolume* KnownVolumes::find(const std::string& name) const {
    const auto found = volumes_.find(name);
    return found == volumes_.end() ? nullptr : &found->second;
}

std::optional<PlaceInVolume> KnownVolumes::locate(const std::string& local_path) const {
    const auto path = normalized(local_path);
    if (!path || !local_path.starts_with('/')) return std::nullopt;
    std::optional<PlaceInVolume> best;
    std::size_t longest = 0;
    for (const auto& [name, volume] : volumes_) {
        for (const auto& mount : volume.mounts) {
            const std::string point = mount.mount_point.substr(1);
            if (!is_below(*path, point) || (best && point.size() <= longest)) continue;
            longest = point.size();
            best = PlaceInVolume{
                &volume,
                join_path(mount.directory, point.empty() ? *path : path->substr(point.size() + 1))};
        }
    }
    if (best && parse_mount_point(local_path, mountinfo_).size() > longest + 1) return std::nullopt;
    return best;
}

}  // namespace sfg::hooks
