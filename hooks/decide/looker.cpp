// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/decide/looker.hpp"

#include <algorithm>

#include "driver/core/path.hpp"
#include "hooks/host/answer_cache.hpp"
#include "hooks/host/gluster_look.hpp"
#include "hooks/look/mounted_look.hpp"
#include "hooks/rewrite/server_word.hpp"
#include "hooks/rewrite/shell_word.hpp"

namespace sfg::hooks {
namespace {

constexpr std::chrono::milliseconds kMountLimit{5000};
constexpr std::chrono::milliseconds kGfapiLimit{3000};
constexpr std::chrono::milliseconds kAll{10'000};
constexpr std::chrono::seconds kReachedFor{600};

ChainLook unknown(ChainLook::Failure failure, const std::string& why) {
    ChainLook look;
    look.failure = failure;
    look.why = why;
    return look;
}

// A path in the volume as one below the directory of it that is mounted.
std::string below(const MountedDirectory& mount, const std::string& path) {
    const std::string found =
        mount.directory.empty() ? path : path.substr(mount.directory.size() + 1);
    return found.substr(std::min(found.find_first_not_of('/'), found.size()));
}

}  // namespace

std::chrono::milliseconds Looker::time_left(std::chrono::milliseconds most) const {
    const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin_);
    return std::clamp(kAll - spent, std::chrono::milliseconds(0), most);
}

ChainLook Looker::look_on(const MountedDirectory& mount, const FoundImage& image) {
    if (const auto silent = silent_.find(mount.mount_point); silent != silent_.end())
        return silent->second;
    auto look = look_on_mount(mount.mount_point,
                              {below(mount, image.path), image.format, !image.chain_given},
                              time_left(kMountLimit));
    if (look.failure == ChainLook::Failure::no_answer || look.failure == ChainLook::Failure::dead)
        silent_[mount.mount_point] = look;
    // From the volume's root, as over gfapi.
    for (auto& unpadded : look.unpadded) unpadded.path = join_path(mount.directory, unpadded.path);
    return look;
}

ChainLook Looker::look(const FoundImage& image) {
    if (image.access == Access::file && image.mount->mounted) return look_on(*image.mount, image);
    if (image.access == Access::network && image.volume != nullptr) {
        const auto local = volumes_.local_path(*image.volume, image.path);
        if (local && local->mount->mounted) return look_on(*local->mount, image);
    }
    return look_over_gfapi(image);
}

ChainLook Looker::look_over_gfapi(const FoundImage& image) {
    const std::string key = shown_name(image.volume_name, "");
    if (const auto silent = silent_.find(key); silent != silent_.end()) return silent->second;
    VolumeAddress address{image.volume_name, {}};
    if (image.volume != nullptr && image.why_not.empty())
        address.servers = volumes_.servers_of(*image.volume);
    const auto limit = time_left(kGfapiLimit);
    if (address.servers.empty() || limit.count() == 0)
        return unknown(ChainLook::Failure::not_tried, "there are no means to look at it");
    const auto looks =
        hooks::look_over_gfapi(address, {{image.path, image.format, !image.chain_given}}, limit);
    if (looks) return looks->front();
    return silent_[key] = unknown(ChainLook::Failure::no_answer, looks.error().message());
}

bool Looker::is_reached_over_gfapi(const FoundImage& image) {
    const AnswerCache cache("/run/sf-gluster/volumes");
    std::string question = image.volume_name;
    for (const auto& server : volumes_.servers_of(*image.volume))
        question += " " + server_word(server);
    if (cache.find(question, kReachedFor)) return true;
    const auto look = look_over_gfapi(image);
    // While no guest runs on it an image is its owner's, whom libvirt remembers: qemu's user may be
    // kept from it then, which says as much.
    const bool is_kept_from_us =
        look.top == ChainLook::Top::unknown && look.failure == ChainLook::Failure::other;
    if (look.top != ChainLook::Top::file && !is_kept_from_us) return false;
    cache.keep(question, "reached");
    return true;
}

std::string about_unpadded(const Unpadded& image, const std::string& volume,
                           const MountedDirectory* mount) {
    std::string why = shown_name(volume, image.path) + " has " + std::to_string(image.size) +
                      " bytes, which is no multiple of 512, so that qemu cannot read it to its end "
                      "over gfapi: ";
    const bool shown = mount != nullptr && is_below(image.path, mount->directory);
    std::string place = "/mnt/" + image.path;
    if (shown)
        place = join_path(mount->mount_point, below(*mount, image.path));
    else
        why += "mount the volume, say on /mnt, and ";
    return why + "while no guest has it open, run `truncate --no-create --size=%512 " +
           shell_word(place) + "`";
}

}  // namespace sfg::hooks
