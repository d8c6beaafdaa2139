// SPDX-License-Identifier: LGPL-2.1-or-later
#include <chrono>
#include <sstream>

#include "driver/core/log.hpp"
#include "hooks/doctor/parts.hpp"
#include "hooks/look/mounted_look.hpp"
#include "hooks/rewrite/shell_word.hpp"

namespace sfg::doctor {
namespace {

constexpr std::chrono::milliseconds kLimit{5000};

Finding check(const hooks::MountedDirectory& mount) {
    const std::string about = "mount " + escaped(mount.mount_point);
    if (!mount.mounted) return {Level::warning, about, "it is not mounted", mount.mount_command};
    // Any name will do: what counts is whether there is an answer.
    const auto look =
        hooks::look_on_mount(mount.mount_point, {".sf-gluster-doctor", "raw"}, kLimit);
    if (look.top == hooks::ChainLook::Top::unknown)
        return {
            Level::problem, about, "it is of no use: " + look.why,
            "umount --lazy " + hooks::shell_word(mount.mount_point) + " && " + mount.mount_command};
    if (!mount.remembered)
        return {
            Level::note, about,
            "mounted, and answers; only the mount table has it, so that a guest that is started "
            "while it is not mounted is not told so: name it in /etc/fstab, a pool or "
            "sf-gluster.conf"};
    return {Level::fine, about, "mounted, and answers"};
}

}  // namespace

Findings check_mounts(const hooks::KnownVolumes& volumes, const std::string& mountinfo) {
    Findings findings;
    for (const auto* volume : volumes.all())
        for (const auto& mount : volume->mounts) findings.push_back(check(mount));
    // event-history crashes the client (glusterfs 10.3).
    std::istringstream lines(mountinfo);
    for (std::string line; std::getline(lines, line);)
        if (line.find("fuse.glusterfs") != std::string::npos &&
            line.find("event-history=on") != std::string::npos)
            findings.push_back({Level::warning, "mounts",
                                "a mount has event-history=on, which crashes glusterfs 10.3",
                                "mount it without"});
    return findings;
}

}  // namespace sfg::doctor
