// SPDX-License-Identifier: LGPL-2.1-or-later
#include <glob.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>

#include "driver/core/log.hpp"
#include "driver/core/trusted_file.hpp"
#include "hooks/doctor/parts.hpp"
#include "hooks/host/gluster_support.hpp"
#include "hooks/host/trusted_program.hpp"
#include "hooks/host/unprivileged_run.hpp"
#include "hooks/rewrite/domain_xml.hpp"

namespace sfg::doctor {
namespace {

constexpr std::chrono::milliseconds kLimit{5000};
constexpr std::size_t kMost = 40;

std::set<std::string> emulators() {
    std::set<std::string> found;
    glob_t paths;
    if (glob("/usr/bin/qemu-system-*", 0, nullptr, &paths) == 0)
        for (std::size_t i = 0; i < paths.gl_pathc && found.size() < kMost; ++i) {
            // Debian's second build of one, for tiny guests, which libvirt does not choose.
            if (std::string_view(paths.gl_pathv[i]).ends_with("-microvm")) continue;
            if (const auto program = hooks::trusted_program(paths.gl_pathv[i]))
                found.insert(*program);
        }
    globfree(&paths);
    return found;
}

// Names of the guests that are defined with gluster network disks for that emulator, or one that
// leads to it.
std::string network_guests(const std::string& emulator) {
    constexpr std::size_t kMostShown = 10;
    std::string names;
    std::size_t count = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/etc/libvirt/qemu", ignored)) {
        if (entry.path().extension() != ".xml") continue;
        const auto text = read_trusted_file(entry.path());
        if (!text || text->find("gluster") == std::string::npos) continue;
        auto domain = hooks::DomainXml::parse(*text);
        const auto program = domain ? hooks::trusted_program(domain->emulator())
                                    : Result<std::string>(domain.error());
        if (!program || *program != emulator) continue;
        bool found = false;
        const auto done = domain->for_each_image([&](pugi::xml_node image, const std::string&) {
            found = found || std::string_view(
                                 image.child("source").attribute("protocol").value()) == "gluster";
            return Result<void>();
        });
        if (!done || !found || ++count > kMostShown) continue;
        names += (names.empty() ? "" : ", ") + escaped(domain->name());
    }
    return count > kMostShown ? names + " and more" : names;
}

Finding check(const std::string& path, const std::string& os_release) {
    using Answer = hooks::GlusterSupport::Answer;
    const auto said = hooks::run_unprivileged({path, "--version"}, "", kLimit);
    const std::string version = said ? hooks::read_version(said->output) : "";
    const std::string about = "emulator " + path + (version.empty() ? "" : " " + version);
    const auto support = hooks::gluster_support(path);
    if (support.answer == Answer::yes) return {Level::fine, about, "opens gluster disks"};
    if (support.answer == Answer::unknown)
        return {Level::note, about, "whether it opens gluster disks is not known: " + support.why};
    const auto guests = network_guests(path);
    if (guests.empty())
        return {Level::note, about, "has no gluster driver, and no guest needs it to have one"};
    const auto package = hooks::driver_package(version, os_release);
    return {Level::warning, about,
            "has no gluster driver, and guests have network disks: " + guests,
            (package.empty() ? "" : package + ", or ") + "run `sf-gluster convert --all`"};
}

}  // namespace

Findings check_emulators() {
    const auto os_release = read_trusted_file("/usr/lib/os-release");
    Findings findings;
    for (const auto& path : emulators())
        findings.push_back(check(path, os_release ? *os_release : ""));
    if (findings.empty())
        findings.push_back({Level::problem, "emulators", "there is no /usr/bin/qemu-system-*",
                            "apt install qemu-system-x86"});
    return findings;
}

}  // namespace sfg::doctor
