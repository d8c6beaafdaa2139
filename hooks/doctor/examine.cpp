// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/doctor/examine.hpp"

#include <libvirt/libvirt.h>

#include <chrono>
#include <filesystem>
#include <system_error>

#include "driver/core/fuse_mounts.hpp"
#include "hooks/doctor/parts.hpp"
#include "hooks/host/read_host.hpp"
#include "hooks/host/unprivileged_run.hpp"

namespace sfg::doctor {
namespace {

constexpr std::chrono::milliseconds kLimit{5000};

std::string libvirt_version() {
    unsigned long number = 0;
    if (virGetVersion(&number, nullptr, nullptr) < 0) return "unknown";
    return std::to_string(number / 1000000) + "." + std::to_string(number / 1000 % 1000) + "." +
           std::to_string(number % 1000);
}

// From where this program is, so that an installation elsewhere is looked at as it is.
std::string libdir() {
    std::error_code ignored;
    const auto here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    return (here / SFG_LIBDIR_FROM_BIN).lexically_normal();
}

Finding gluster_version() {
    const auto said = hooks::run_unprivileged({"/usr/sbin/glusterfs", "--version"}, "", kLimit);
    const std::string line = said ? said->output.substr(0, said->output.find('\n')) : "";
    if (!said || said->status != 0 || line.empty())
        return {Level::warning, "glusterfs",
                "its client is not installed, so there is no FUSE "
                "mount",
                "apt install glusterfs-client"};
    return {Level::note, "glusterfs", line};
}

void append(Findings& all, const Findings& more) {
    all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

Findings examine(const std::string& configuration, void (*say)(const std::string& doing)) {
    Findings findings;
    say("modules");
    append(findings, check_modules(libdir(), libvirt_version()));
    append(findings, check_hook("/etc/libvirt/hooks/qemu.d/50-sf-gluster"));
    append(findings, check_apparmor());
    findings.push_back(gluster_version());
    say("emulators");
    append(findings, check_emulators());
    auto host = hooks::read_host(configuration);
    auto volumes = host ? hooks::KnownVolumes::make(*host) : host.error();
    if (!volumes) {
        findings.push_back({Level::problem, "configuration", volumes.error().message(),
                            "mend " + configuration + ", which is not used as it is"});
        host = hooks::read_host("/nonexistent");
        volumes = host ? hooks::KnownVolumes::make(*host) : host.error();
    }
    if (!volumes) return findings;
    say("volumes");
    append(findings, check_volumes(*volumes));
    say("mounts");
    append(findings, check_mounts(*volumes, host->mountinfo));
    say("images");
    append(findings, check_images(*volumes));
    return findings;
}

}  // namespace sfg::doctor
