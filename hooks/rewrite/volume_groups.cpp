// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/volume_groups.hpp"

#include <glib.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "hooks/rewrite/server_word.hpp"

namespace sfg::hooks {
namespace {

constexpr std::string_view kGroup = "volume ";

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

// A misspelt key would be passed over.
Result<void> check_keys(GKeyFile* file, const char* group) {
    const Words keys(g_key_file_get_keys(file, group, nullptr, nullptr), &g_strfreev);
    for (char** key = keys.get(); key != nullptr && *key != nullptr; ++key) {
        const std::string_view known[] = {"servers", "mount", "mount-directory", "access"};
        if (std::find(std::begin(known), std::end(known), *key) == std::end(known))
            return Error(ErrorKind::invalid, "there is no '" + escaped(*key) +
                                                 "'; it may have servers, mount, "
                                                 "mount-directory and access");
    }
    return {};
}

Result<VolumeGroup> read_group(GKeyFile* file, const char* group) {
    SFG_TRY(check_keys(file, group));
    VolumeGroup volume;
    volume.name = std::string_view(group).substr(kGroup.size());
    if (!is_volume_name(volume.name))
        return Error(ErrorKind::invalid, "'" + volume.name + "' is no name of a gluster volume");
    SFG_TRY(value_of(file, group, "servers"));
    const Words servers(g_key_file_get_string_list(file, group, "servers", nullptr, nullptr),
                        &g_strfreev);
    for (char** word = servers.get(); word != nullptr && *word != nullptr; ++word) {
        if (has_blank(*word))
            return Error(ErrorKind::invalid, "'" + escaped(*word) +
                                                 "' is no server; a comment needs a line of its "
                                                 "own");
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
        volume.mount_point = "/" + *point;
        volume.directory = *directory;
    }
    SFG_TRY_ASSIGN(const std::string access, value_of(file, group, "access"));
    if (!access.empty()) {
        SFG_TRY_ASSIGN(volume.access, parse_access(access));
    }
    return volume;
}

}  // namespace

Result<std::vector<VolumeGroup>> read_volume_groups(const std::string& configuration) {
    std::vector<VolumeGroup> volumes;
    if (configuration.empty()) return volumes;
    const KeyFile file(g_key_file_new(), &g_key_file_free);
    GError* failure = nullptr;
    if (g_key_file_load_from_data(file.get(), configuration.data(), configuration.size(),
                                  G_KEY_FILE_NONE, &failure) == FALSE) {
        const Error error(ErrorKind::invalid, failure->message);
        g_clear_error(&failure);
        return error;
    }
    const Words groups(g_key_file_get_groups(file.get(), nullptr), &g_strfreev);
    for (char** group = groups.get(); *group != nullptr; ++group) {
        if (!std::string_view(*group).starts_with(kGroup)) continue;
        auto volume = read_group(file.get(), *group);
        if (!volume) return volume.error().with_context("[" + std::string(*group) + "]");
        volumes.push_back(*std::move(volume));
    }
    return volumes;
}

}  // namespace sfg::hooks
