// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/gluster_source.hpp"

#include <mntent.h>

#include <array>
#include <cstdio>
#include <memory>

#include "driver/core/path.hpp"

namespace sfg::hooks {
namespace {

std::string without_brackets(std::string_view host) {
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return std::string(host);
}

void add_server(std::vector<Server>& servers, std::string_view host) {
    const std::string plain = without_brackets(host);
    if (plain.empty()) return;
    const Server server = plain.starts_with('/') ? Server{"", 0, plain} : Server{plain};
    if (!has_server(servers, server)) servers.push_back(server);
}

// Calls `add` with each word of "a:b:[c::d]": `separator` inside brackets does not count.
template <typename Add>
void for_each_word(std::string_view text, char separator, Add add) {
    std::size_t begin = 0;
    int depth = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] == '[') ++depth;
        if (i < text.size() && text[i] == ']') --depth;
        if (i < text.size() && (text[i] != separator || depth > 0)) continue;
        add(text.substr(begin, i - begin));
        begin = i + 1;
    }
}

// The value of an option such as backup-volfile-servers=; "" where it is not there.
std::string_view value_of(std::string_view options, std::string_view name) {
    std::string_view value;
    for_each_word(options, ',', [&](std::string_view option) {
        if (option.starts_with(name) && option.substr(name.size()).starts_with('='))
            value = option.substr(name.size() + 1);
    });
    return value;
}

}  // namespace

std::optional<GlusterSource> parse_gluster_source(std::string_view text) {
    auto colon = text.find(":/");
    if (colon == std::string_view::npos) colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto in_volume = normalized(text.substr(colon + 1));
    if (!in_volume || in_volume->starts_with("snaps/")) return std::nullopt;
    const auto slash = in_volume->find('/');
    GlusterSource source;
    source.volume = in_volume->substr(0, slash);
    if (!is_volume_name(source.volume)) return std::nullopt;
    if (slash != std::string::npos) source.directory = in_volume->substr(slash + 1);
    for_each_word(text.substr(0, colon), ',',
                  [&](std::string_view host) { add_server(source.servers, host); });
    return source;
}

void add_backup_servers(std::vector<Server>& servers, std::string_view options) {
    add_server(servers, value_of(options, "backupvolfile-server"));
    for_each_word(value_of(options, "backup-volfile-servers"), ':',
                  [&](std::string_view host) { add_server(servers, host); });
}

std::vector<FstabMount> parse_fstab(const std::string& fstab) {
    std::vector<FstabMount> mounts;
    if (fstab.empty()) return mounts;
    const std::unique_ptr<FILE, int (*)(FILE*)> file(
        fmemopen(const_cast<char*>(fstab.data()), fstab.size(), "r"), &std::fclose);
    if (!file) return mounts;
    std::array<char, 8192> buffer;
    mntent entry;
    while (getmntent_r(file.get(), &entry, buffer.data(), static_cast<int>(buffer.size())) !=
           nullptr) {
        const std::string_view type = entry.mnt_type;
        if (type != "glusterfs" && type != "fuse.glusterfs") continue;
        auto source = parse_gluster_source(entry.mnt_fsname);
        const auto point = normalized(entry.mnt_dir);
        if (!source || !point || entry.mnt_dir[0] != '/') continue;
        add_backup_servers(source->servers, entry.mnt_opts);
        mounts.push_back({*std::move(source), "/" + *point});
    }
    return mounts;
}

}  // namespace sfg::hooks
