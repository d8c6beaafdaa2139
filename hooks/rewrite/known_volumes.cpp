// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/known_volumes.hpp"

#include <glib.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "driver/core/fuse_mounts.hpp"
#include "driver/core/log.hpp"
#include "driver/core/path.hpp"

namespace sfg::hooks {
namespace {

constexpr std::string_view kGroup = "volume ";
constexpr std::size_t kLongestPath = 4095;  // bytes; PATH_MAX without its NUL

using KeyFile = std::unique_ptr<GKeyFile, decltype(&g_key_file_free)>;
using Words = std::unique_ptr<char*, decltype(&g_strfreev)>;

// "" where the key is not there.
Result<std::string> value_of(GKeyFile* file, const char* group, const char* key) {
    GError* failure = nullptr;
    const std::unique_ptr<char, decltype(&g_free)> text(
        g_key_file_get_string(file, group, key, &failure), &g_free);
    if (failure == nullptr) return std::string(text.get());
    const bool missing = g_error_matches(failure, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_KEY_NOT_FOUND);
    const Error error(ErrorKind::invalid, failure->message);
    g_clear_error(&failure);
    if (missing) return std::string();
    return error;
}

// Key files have no comments behind a value: what looks like one is part of it.
bool has_blank(const std::string& word) {
    return word.find_first_of(" \t#") != std::string::npos;
}

// host, host:port, [IPv6]:port or the path of a socket.
Result<Server> parse_server(const std::string& word) {
    if (has_blank(word))
        return Error(ErrorKind::invalid,
                     "'" + escaped(word) + "' is no server; a comment needs a line of its own");
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

// A misspelt key would be passed over.
Result<void> check_keys(GKeyFile* file, const char* group) {
    const Words keys(g_key_file_get_keys(file, group, nullptr, nullptr), &g_strfreev);
    for (char** key = keys.get(); key != nullptr && *key != nullptr; ++key) {
        const std::string_view known[] = {"servers", "mount", "mount-directory"};
        if (std::find(std::begin(known), std::end(known), *key) == std::end(known))
            return Error(ErrorKind::invalid, "there is no '" + escaped(*key) +
                                                 "'; it may have servers, mount and "
                                                 "mount-directory");
    }
    return {};
}

Result<KnownVolume> read_volume(GKeyFile* file, const char* group) {
    SFG_TRY(check_keys(file, group));
    KnownVolume volume;
    volume.name = std::string_view(group).substr(kGroup.size());
    if (!is_volume_name(volume.name))
        return Error(ErrorKind::invalid, "'" + volume.name + "' is no name of a gluster volume");
    SFG_TRY(value_of(file, group, "servers"));
    const Words servers(g_key_file_get_string_list(file, group, "servers", nullptr, nullptr),
                        &g_strfreev);
    for (char** word = servers.get(); word != nullptr && *word != nullptr; ++word) {
        SFG_TRY_ASSIGN(auto server, parse_server(*word));
        volume.servers.push_back(std::move(server));
    }
    SFG_TRY_ASSIGN(const std::string mount, value_of(file, group, "mount"));
    SFG_TRY_ASSIGN(const std::string below, value_of(file, group, "mount-directory"));
    const auto directory = normalized(below);
    if (!directory || directory->find(" #") != std::string::npos)
        return Error(
            ErrorKind::invalid,
            "mount-directory must be a directory of the volume; a comment needs a line of its own");
    if (!mount.empty()) {
        const auto point = normalized(mount);
        if (!mount.starts_with('/') || !point || mount.find(" #") != std::string::npos)
            return Error(ErrorKind::invalid,
                         "mount must be an absolute path; a comment needs a line of its own");
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
        SFG_TRY(known.check_mounts(*volume, mountinfo));
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
        // A server by its socket, host or address.
        if (const Server server =
                mount.server.starts_with('/') ? Server{"", 0, mount.server} : Server{mount.server};
            (said == configured.end() || said->second.servers.empty()) &&
            !has_server(volume.servers, server))
            volume.servers.push_back(server);
    }
    known.mountinfo_ = std::move(mountinfo);
    return known;
}

Result<void> KnownVolumes::check_mounts(const KnownVolume& volume,
                                        const std::string& mountinfo) const {
    for (const auto& mount : volume.mounts) {
        for (const auto& [name, other] : volumes_)
            for (const auto& taken : other.mounts)
                if (taken.mount_point == mount.mount_point)
                    return Error(ErrorKind::invalid, "[volume " + volume.name + "]: mount " +
                                                         escaped(mount.mount_point) +
                                                         " is also that of " + name);
        for (const FuseMount& real : parse_fuse_mounts(mountinfo))
            if (real.mount_point == mount.mount_point &&
                (real.volume != volume.name || real.directory != mount.directory))
                return Error(ErrorKind::invalid,
                             "[volume " + volume.name + "]: '" +
                                 escaped(join_path(real.volume, real.directory)) +
                                 "' is mounted on " + escaped(mount.mount_point));
    }
    return {};
}

const KnownVolume* KnownVolumes::find(const std::string& name) const {
    const auto found = volumes_.find(name);
    return found == volumes_.end() ? nullptr : &found->second;
}

std::optional<std::string> KnownVolumes::local_path(const KnownVolume& volume,
                                                    const std::string& path) const {
    std::optional<std::string> best;
    std::size_t shortest = 0;
    for (const auto& mount : volume.mounts) {
        if (!is_below(path, mount.directory) || (best && mount.directory.size() >= shortest))
            continue;
        const std::string candidate =
            (mount.mount_point == "/" ? "" : mount.mount_point) + "/" +
            (mount.directory.empty() ? path : path.substr(mount.directory.size() + 1));
        const auto back = locate(candidate);
        if (!back || back->volume != &volume || back->path != path) continue;
        shortest = mount.directory.size();
        best = candidate;
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
            best = PlaceInVolume{&volume, join_path(mount.directory, below)};
        }
    }
    if (best &&
        parse_mount_point(local_path, mountinfo_).size() > std::max<std::size_t>(longest, 1))
        return std::nullopt;
    return best;
}

}  // namespace sfg::hooks
