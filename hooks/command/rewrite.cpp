// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/rewrite.hpp"

#include <iostream>
#include <memory>

#include "hooks/command/known_volumes.hpp"
#include "hooks/command/subcommands.hpp"
#include "hooks/decide/access_choice.hpp"
#include "hooks/host/read_host.hpp"
#include "hooks/host/standard_streams.hpp"

namespace sfg::command {
namespace {

struct Options {
    std::string to;
    std::string configuration = hooks::kConfiguration;
};

Result<int> run(const Options& options) {
    SFG_TRY_ASSIGN(const auto volumes, known_volumes(options.configuration));
    SFG_TRY_ASSIGN(const auto to, hooks::parse_access(options.to));
    SFG_TRY_ASSIGN(auto domain, hooks::DomainXml::parse(hooks::read_document()));
    SFG_TRY_ASSIGN(auto choice,
                   hooks::AccessChoice::make(domain, volumes, to, hooks::Occasion::arrives));
    SFG_TRY_ASSIGN(const auto outcome,
                   hooks::rewrite_images(domain, volumes, [&](const hooks::FoundImage& image) {
                       return choice.choose(image);
                   }));
    for (const auto& image : outcome.rewritten)
        std::cerr << image.disk << ": " << image.from << " -> " << image.to << "\n";
    for (const auto& image : outcome.left)
        std::cerr << image.disk << ": " << image.image << " is left as it is: " << image.why
                  << "\n";
    std::cout << domain.text();
    return 0;
}

}  // namespace

Subcommand add_rewrite(CLI::App& program) {
    auto options = std::make_shared<Options>();
    CLI::App* const app = program.add_subcommand(
        "rewrite",
        "Reads a domain document from standard input and writes it with its gluster images as "
        "network or file disks to standard output; tells on standard error what it changed");
    app->add_option("--to", options->to,
                    "network: qemu's gluster driver; file: FUSE mounts; auto: what the "
                    "guest, the configuration or this host's emulator says")
        ->required()
        ->check(CLI::IsMember({"network", "file", "auto"}));
    app->add_option("--config", options->configuration, "where gluster volumes are described")
        ->capture_default_str();
    return {app, [options] { return run(*options); }};
}

}  // namespace sfg::command
