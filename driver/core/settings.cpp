// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/core/settings.hpp"

#include <glib.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>

#include "driver/core/log.hpp"
#include "driver/core/trusted_file.hpp"

namespace sfg {
namespace {

constexpr char kDefaultPath[] = "/etc/libvirt/sf-gluster.conf";
constexpr char kGroup[] = "driver";
constexpr std::string_view kKeys[] = {"connect-timeout",        "temporary-age",
                                      "local-base-directories", "ignore-images",
                                      "copies-of-running",      "trusted-servers"};

using KeyFile = std::unique_ptr<GKeyFile, decltype(&g_key_file_free)>;

// A whole number of seconds in [least, most]; `value` stays where the key is not there.
Result<void> read_seconds(GKeyFile* file, const char* key, gint64 least, gint64 most,
                          gint64& value) {
    if (g_key_file_has_key(file, kGroup, key, nullptr) == FALSE) return {};
    GError* failure = nullptr;
    const gint64 found = g_key_file_get_int64(file, kGroup, key, &failure);
    const bool bad = failure != nullptr || found < least || found > most;
    g_clear_error(&failure);
    if (bad)
        return Error(ErrorKind::invalid, std::string(key) + " must be a whole number from " +
                                             std::to_string(least) + " to " + std::to_string(most));
    value = found;
    return {};
}

// A list with ';' between its items; empty where the key is not there.
std::vector<std::string> read_list(GKeyFile* file, const char* key) {
    std::vector<std::string> items;
    if (g_key_file_has_key(file, kGroup, key, nullptr) == FALSE) return items;
    const std::unique_ptr<char*, decltype(&g_strfreev)> list(
        g_key_file_get_string_list(file, kGroup, key, nullptr, nullptr), &g_strfreev);
    for (char** item = list.get(); item != nullptr && *item != nullptr; ++item)
        items.emplace_back(*item);
    return items;
}

Result<std::vector<std::string>> read_paths(GKeyFile* file, const char* key) {
    auto paths = read_list(file, key);
    for (const auto& path : paths)
        if (!path.starts_with('/'))
            return Error(ErrorKind::invalid,
                         std::string(key) + " must be absolute paths with ';' between them");
    return paths;
}

// A misspelt key would be passed over.
Result<void> check_keys(GKeyFile* file) {
    const std::unique_ptr<char*, decltype(&g_strfreev)> keys(
        g_key_file_get_keys(file, kGroup, nullptr, nullptr), &g_strfreev);
    for (char** key = keys.get(); key != nullptr && *key != nullptr; ++key)
        if (std::find(std::begin(kKeys), std::end(kKeys), std::string_view(*key)) ==
            std::end(kKeys))
            return Error(ErrorKind::invalid, "[driver] has no '" + escaped(*key) +
                                                 "'; it may have connect-timeout, temporary-age, "
                                                 "local-base-directories, ignore-images, "
                                                 "copies-of-running and trusted-servers");
    return {};
}

}  // namespace

Result<Settings> read_settings(const std::string& path) {
    auto text = read_trusted_file(path);
    if (!text) return text.error().with_context(path);
    Settings settings;
    if (text->empty()) return settings;

    const KeyFile file(g_key_file_new(), &g_key_file_free);
    GError* failure = nullptr;
    if (g_key_file_load_from_data(file.get(), text->data(), text->size(), G_KEY_FILE_NONE,
                                  &failure) == FALSE) {
        const Error error(ErrorKind::invalid, path + ": " + failure->message);
        g_clear_error(&failure);
        return error;
    }
    if (const auto known = check_keys(file.get()); !known) return known.error().with_context(path);
    gint64 connect = settings.connect_timeout.count() / 1000;
    gint64 age = settings.temporary_age.count();
    for (auto read : {read_seconds(file.get(), "connect-timeout", 1, 600, connect),
                      read_seconds(file.get(), "temporary-age", 0, 366 * 86400, age)})
        if (!read) return read.error().with_context(path);
    auto directories = read_paths(file.get(), "local-base-directories");
    if (!directories) return directories.error().with_context(path);
    settings.local_base_directories = *std::move(directories);
    settings.ignore_images = read_list(file.get(), "ignore-images");
    for (const auto& image : settings.ignore_images)
        if (image.find('/') == std::string::npos || image.starts_with('/'))
            return Error(ErrorKind::invalid,
                         path +
                             ": ignore-images must be names like VOLUME/path/of/image with ';' "
                             "between them, not '" +
                             escaped(image) + "'");
    const auto copies = read_list(file.get(), "copies-of-running");
    if (!copies.empty() && copies != std::vector<std::string>{"refuse"} &&
        copies != std::vector<std::string>{"warn"})
        return Error(ErrorKind::invalid, path + ": copies-of-running must be refuse or warn");
    settings.copies_of_running = copies == std::vector<std::string>{"warn"};
    settings.trusted_servers = read_list(file.get(), "trusted-servers");
    settings.connect_timeout = std::chrono::seconds(connect);
    settings.temporary_age = std::chrono::seconds(age);
    return settings;
}

const Settings& settings() {
    // Never destroyed: threads may outlive main.
    static const auto* const current = new Settings([] {
        auto read = read_settings(kDefaultPath);
        if (read) return *read;
        log_warning("the defaults are used: " + read.error().message());
        return Settings();
    }());
    return *current;
}

}  // namespace sfg
