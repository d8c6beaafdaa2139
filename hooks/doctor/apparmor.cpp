// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fstream>
#include <iterator>
#include <string>

#include "hooks/doctor/parts.hpp"

namespace sfg::doctor {
namespace {

struct Rules {
    const char* profile;  // below /etc/apparmor.d
    const char* ours;     // what its local file is to include, as packaging/apparmor-lines has it
    const char* without;  // what does not work
};

constexpr Rules kRules[] = {
    {"usr.sbin.libvirtd", "abstractions/sf-gluster-libvirtd",
     "conversions fail and the hook changes no document"},
    {"usr.lib.libvirt.virt-aa-helper", "abstractions/sf-gluster-virt-aa-helper",
     "guests with gluster disks do not start where an image has its base on this host's own disk"},
    {"abstractions/libvirt-qemu", "abstractions/libvirt-qemu.d/sf-gluster",
     "guests with gluster disks do not start"},
};

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// libvirt gives guests a profile where its own daemon has one (use_apparmor in
// security_apparmor.c). Root alone may open the list; where that fails, it is as Debian has it.
bool libvirtd_is_confined(const std::string& profiles) {
    std::ifstream lines(profiles);
    if (!lines) return true;
    for (std::string line; std::getline(lines, line);) {
        for (const char* name : {"libvirtd (", "/usr/sbin/libvirtd (", "virtqemud ("})
            if (line.starts_with(name)) return true;
    }
    return false;
}

}  // namespace

Findings check_apparmor(const std::string& directory, const std::string& switch_file,
                        const std::string& profiles) {
    if (!text_of(switch_file).starts_with('Y'))
        return {{Level::fine, "AppArmor", "it is off on this host"}};
    if (!libvirtd_is_confined(profiles))
        return {{Level::fine, "AppArmor", "libvirtd has no profile here, and guests get none"}};
    Findings findings;
    for (const auto& rules : kRules) {
        const std::string profile = text_of(directory + "/" + rules.profile);
        const std::string wanted = "include if exists <" + std::string(rules.ours) + ">";
        const std::string folder = std::string(rules.profile) + ".d>";
        // Since libvirt 11 a profile may include all of a folder itself.
        if (profile.empty() ||
            text_of(directory + "/local/" + rules.profile).find(wanted) != std::string::npos ||
            (std::string_view(rules.ours).starts_with(std::string(rules.profile) + ".d/") &&
             profile.find(folder) != std::string::npos))
            continue;
        findings.push_back(
            {Level::problem, "AppArmor",
             std::string(rules.profile) + " does not include sf-gluster's rules: " + rules.without,
             "/usr/share/sf-gluster/apparmor-lines add"});
    }
    if (findings.empty())
        findings.push_back({Level::fine, "AppArmor", "libvirt's profiles have sf-gluster's rules"});
    return findings;
}

}  // namespace sfg::doctor
