// SPDX-License-Identifier: LGPL-2.1-or-later
#include <iostream>
#include <memory>

#include "driver/core/log.hpp"
#include "hooks/command/difference.hpp"
#include "hooks/command/domains.hpp"
#include "hooks/command/known_volumes.hpp"
#include "hooks/command/subcommands.hpp"
#include "hooks/decide/access_choice.hpp"
#include "hooks/host/read_host.hpp"
#include "hooks/rewrite/rewrite.hpp"

namespace sfg::command {
namespace {

struct Options {
    std::vector<std::string> guests;
    bool all = false;
    bool dry_run = false;
    std::string to = "auto";
    std::string uri;
    std::string configuration = hooks::kConfiguration;
};

Result<void> convert(const Libvirt& libvirt, const hooks::KnownVolumes& volumes,
                     const std::string& guest, std::optional<hooks::Access> to, bool dry_run) {
    SFG_TRY_ASSIGN(const auto before, libvirt.definition(guest));
    SFG_TRY_ASSIGN(auto domain, hooks::DomainXml::parse(before));
    SFG_TRY_ASSIGN(auto choice,
                   hooks::AccessChoice::make(domain, volumes, to, hooks::Occasion::stays));
    SFG_TRY_ASSIGN(const auto outcome,
                   hooks::rewrite_images(domain, volumes, [&](const hooks::FoundImage& image) {
                       return choice.choose(image);
                   }));
    if (to == hooks::Access::network &&
        hooks::gluster_support(domain.emulator()).answer == hooks::GlusterSupport::Answer::no)
        say("guest '" + escaped(guest) + "': " + escaped(domain.emulator()) +
            " has no gluster driver, so that it will not start on network disks here");
    for (const auto& image : outcome.left)
        std::cout << escaped(guest) << ": " << image.disk << ": " << image.image
                  << " is left as it is: " << image.why << "\n";
    if (outcome.rewritten.empty()) {
        std::cout << escaped(guest) << ": nothing to change\n";
        return {};
    }
    SFG_TRY_ASSIGN(const auto changed, difference(escaped(guest), before, domain.text()));
    std::cout << changed;
    if (dry_run) {
        std::cout << escaped(guest) << ": not changed (--dry-run)\n";
        return {};
    }
    SFG_TRY_ASSIGN(const bool running, libvirt.is_running(guest));
    SFG_TRY_ASSIGN(const auto now, libvirt.definition(guest));
    if (now != before)
        return Error(ErrorKind::busy, "somebody else has changed its definition meanwhile");
    SFG_TRY(libvirt.define(domain.text()));
    std::cout << escaped(guest) << ": defined anew"
              << (running
                      ? "; it runs on as it is, and the new definition holds from its next start"
                      : "")
              << "\n";
    return {};
}

Result<int> run(const Options& options) {
    if (options.all == !options.guests.empty()) {
        say(options.all ? "convert: name guests or give --all, not both"
                        : "convert: name guests, or give --all");
        return 2;
    }
    SFG_TRY_ASSIGN(const auto to, hooks::parse_access(options.to));
    SFG_TRY_ASSIGN(const auto volumes, known_volumes(options.configuration));
    SFG_TRY_ASSIGN(const auto libvirt, Libvirt::open(options.uri));
    auto guests = options.guests;
    if (options.all) {
        SFG_TRY_ASSIGN(guests, libvirt.persistent_guests());
        // A user who is not root is asked for the session's guests by libvirt.
        if (guests.empty()) say("there is no persistent guest on " + escaped(libvirt.uri()));
    }
    // One that cannot be converted keeps no other from it.
    int failed = 0;
    for (const auto& guest : guests) {
        const auto outcome = convert(libvirt, volumes, guest, to, options.dry_run);
        std::cout << std::flush;
        if (outcome) continue;
        say("guest '" + escaped(guest) + "' is not changed: " + outcome.error().message());
        ++failed;
    }
    return failed == 0 ? 0 : 1;
}

}  // namespace

Subcommand add_convert(CLI::App& program) {
    auto options = std::make_shared<Options>();
    CLI::App* const app = program.add_subcommand(
        "convert",
        "Defines persistent guests anew with their gluster images as network or file disks, and "
        "shows what changes; a guest that runs goes on as it is until its next start");
    app->add_option("guests", options->guests, "names or UUIDs of guests")->type_name("DOMAIN");
    app->add_flag("--all", options->all, "all persistent guests");
    app->add_option("--to", options->to,
                    "network: qemu's gluster driver; file: FUSE mounts; auto: what the guest, the "
                    "configuration or this host's emulator says")
        ->check(CLI::IsMember({"network", "file", "auto"}))
        ->capture_default_str();
    app->add_flag("--dry-run", options->dry_run, "show what would change, and change nothing");
    app->add_option("--connect", options->uri, "libvirt's URI, such as qemu:///system");
    app->add_option("--config", options->configuration, "where gluster volumes are described")
        ->capture_default_str();
    return {app, [options] { return run(*options); }};
}

}  // namespace sfg::command
