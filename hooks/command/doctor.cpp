// SPDX-License-Identifier: LGPL-2.1-or-later
#include <unistd.h>

#include <iostream>
#include <memory>

#include "hooks/command/subcommands.hpp"
#include "hooks/doctor/examine.hpp"
#include "hooks/host/read_host.hpp"

namespace sfg::command {
namespace {

struct Options {
    bool json = false;
    std::string configuration = hooks::kConfiguration;
};

void show_progress(const std::string& doing) {
    if (isatty(STDERR_FILENO) != 0) std::cerr << "looking at " << doing << " ...\n";
}

Result<int> run(const Options& options) {
    const auto findings = doctor::examine(options.configuration, show_progress);
    std::cout << (options.json ? doctor::as_json(findings) : doctor::as_text(findings));
    return doctor::something_to_mend(findings) ? 1 : 0;
}

}  // namespace

Subcommand add_doctor(CLI::App& program) {
    auto options = std::make_shared<Options>();
    CLI::App* const app = program.add_subcommand(
        "doctor",
        "Says whether this host is right for guests on gluster: what libvirtd loads, emulators, "
        "volumes and their options, mounts, images, and what mends each; exit status 1 where "
        "something is to be mended");
    app->add_flag("--json", options->json, "for scripts");
    app->add_option("--config", options->configuration, "where gluster volumes are described")
        ->capture_default_str();
    return {app, [options] { return run(*options); }};
}

}  // namespace sfg::command
