// SPDX-License-Identifier: LGPL-2.1-or-later
#include <pwd.h>
#include <unistd.h>

#include <chrono>

#include "driver/core/log.hpp"
#include "hooks/doctor/parts.hpp"
#include "hooks/doctor/volume_info.hpp"
#include "hooks/host/gluster_look.hpp"
#include "hooks/host/unprivileged_run.hpp"

namespace sfg::doctor {
namespace {

constexpr std::chrono::milliseconds kLimit{5000};
constexpr char kProgram[] = "/usr/sbin/gluster";

std::string qemus_user() {
    const passwd* const user = getpwnam("libvirt-qemu");
    if (user == nullptr) return {};
    return std::to_string(user->pw_uid);
}

Result<VolumeInfo> ask(const std::string& volume, const Server& server) {
    std::vector<std::string> words{kProgram, "--log-file=/dev/null", "--mode=script", "--xml"};
    if (server.is_local())
        words.push_back("--glusterd-sock=" + server.socket);
    else
        words.push_back("--remote-host=" + server.host);
    words.insert(words.end(), {"volume", "info", volume});
    SFG_TRY_ASSIGN(const auto said, hooks::run_unprivileged(words, "", kLimit));
    if (said.output.empty())
        return Error(ErrorKind::not_connected, escaped(said.errors.substr(0, 200)));
    return parse_volume_info(said.output);
}

Findings check(const hooks::KnownVolume& volume, const std::vector<Server>& servers) {
    const std::string about = "volume " + volume.name;
    if (servers.empty())
        return {{Level::warning, about, "no server of it is known",
                 "name them by servers= in [volume " + volume.name +
                     "] of /etc/libvirt/sf-gluster.conf"}};
    Findings findings;
    std::vector<Server> reached, silent;
    std::string why;
    for (const auto& server : servers) {
        const auto look = hooks::look_over_gfapi({volume.name, {server}}, {}, kLimit);
        (look ? reached : silent).push_back(server);
        if (!look) why = look.error().message();
    }
    if (reached.empty())
        findings.push_back({Level::problem, about,
                            "it cannot be reached over gfapi as qemu's user: " + why,
                            "gluster volume status " + volume.name});
    else
        findings.push_back({Level::fine, about, "reached over gfapi at " + names_of(reached)});
    if (!reached.empty() && !silent.empty())
        findings.push_back({Level::warning, about,
                            "it cannot be reached at " + names_of(silent) + ": " + why,
                            "gluster peer status (at " + names_of(reached) + ")"});
    if (access(kProgram, X_OK) < 0) {
        findings.push_back({Level::note, about,
                            "its options are not known without gluster's "
                            "command",
                            "apt install glusterfs-cli"});
        return findings;
    }
    Error failure(ErrorKind::not_connected, "");
    for (const auto& server : servers) {
        const auto info = ask(volume.name, server);
        if (info) {
            const auto options = check_volume(*info, qemus_user());
            findings.insert(findings.end(), options.begin(), options.end());
            return findings;
        }
        failure = info.error();
    }
    findings.push_back({!reached.empty() ? Level::note : Level::problem, about,
                        "its options cannot be asked for: " + failure.message()});
    return findings;
}

}  // namespace

Findings check_volumes(const hooks::KnownVolumes& volumes) {
    Findings findings;
    for (const auto* volume : volumes.all()) {
        const auto why = volumes.why_ambiguous(*volume);
        if (!why.empty())
            findings.push_back({Level::warning, "volume " + volume->name,
                                "its images are not carried over: " + why});
        const auto found = check(*volume, volumes.servers_of(*volume));
        findings.insert(findings.end(), found.begin(), found.end());
    }
    if (findings.empty())
        findings.push_back({Level::note, "volumes",
                            "no gluster volume is known: none is mounted, in /etc/fstab, a pool of "
                            "libvirt's or in /etc/libvirt/sf-gluster.conf"});
    return findings;
}

}  // namespace sfg::doctor
