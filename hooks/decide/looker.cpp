// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/decide/looker.hpp"

#include <chrono>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "hooks/host/gluster_look.hpp"
#include "hooks/look/mounted_look.hpp"

namespace sfg::hooks {
namespace {

// A brick that restarts takes a second or two.
constexpr std::chrono::milliseconds kMountLimit{5000};

ChainLook unknown(const std::string& why) {
    ChainLook look;
    look.why = why;
    return look;
}

// A path in the volume as one below the directory of it that is mounted.
std::string below(const MountedDirectory& mount, const std::string& path) {
    return mount.directory.empty() ? path : path.substr(mount.directory.size() + 1);
}

}  // namespace

ChainLook Looker::look_on(const MountedDirectory& mount, const std::string& path,
                          const std::string& format) {
    if (const auto silent = silent_.find(mount.mount_point); silent != silent_.end())
        return unknown(silent->second);
    auto look = look_on_mount(mount.mount_point, below(mount, path), format, kMountLimit);
    if (look.top == ChainLook::Top::unknown) silent_[mount.mount_point] = look.why;
    // From the volume's root, as over gfapi.
    for (auto& image : look.unpadded) image.path = join_path(mount.directory, image.path);
    return look;
}

ChainLook Looker::look(const FoundImage& image) {
    if (image.access == Access::file && image.mount->mounted)
        return look_on(*image.mount, image.path, image.format);
    if (image.access == Access::network && image.volume != nullptr) {
        const auto local = volumes_.local_path(*image.volume, image.path);
        if (local && local->mount->mounted) return look_on(*local->mount, image.path, image.format);
    }
    return look_over_gfapi(image);
}

ChainLook Looker::look_over_gfapi(const FoundImage& image) {
    const std::string key = shown_uri(image.volume_name, "");
    if (const auto silent = silent_.find(key); silent != silent_.end())
        return unknown(silent->second);
    VolumeAddress address{image.volume_name, {}};
    if (image.volume != nullptr) address.servers = volumes_.servers_of(*image.volume);
    if (address.servers.empty()) address.servers = image.servers;
    if (address.servers.empty()) return unknown("no server of the volume is known");
    const auto looks = hooks::look_over_gfapi(address, {{image.path, image.format}});
    if (looks) return looks->front();
    silent_[key] = looks.error().message();
    return unknown(looks.error().message());
}

std::string about_unpadded(const Unpadded& image, const std::string& volume,
                           const MountedDirectory* mount) {
    const std::string uri = shown_uri(volume, image.path);
    const std::string why = uri + " has " + std::to_string(image.size) +
                            " bytes, which is no multiple of 512, so that qemu cannot read it to "
                            "its end over gfapi: ";
    if (mount != nullptr && (mount->directory.empty() || is_below(image.path, mount->directory)))
        return why + "run `truncate --size=%512 " +
               shell_word(escaped(join_path(mount->mount_point, below(*mount, image.path)))) + "`";
    return why + "mount the volume, say on /mnt, and run `truncate --size=%512 " +
           shell_word(escaped("/mnt/" + image.path)) + "`";
}

}  // namespace sfg::hooks
