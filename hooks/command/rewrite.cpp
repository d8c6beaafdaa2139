// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/rewrite.hpp"

#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <memory>

#include "driver/core/fuse_mounts.hpp"
#include "driver/core/trusted_file.hpp"
#include "hooks/command/subcommands.hpp"

namespace sfg::command {
namespace {

struct Options {
    std::string to;
    std::string configuration = kConfiguration;
};

// Standard input, as much of it as a document may be long and one byte more.
std::string read_input() {
    std::string text(hooks::DomainXml::kLargest + 1, '\0');
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::cin.gcount()));
    return text;
}

Result<int> run(const Options& options) {
    if (options.configuration != kConfiguration && access(options.configuration.c_str(), F_OK) < 0)
        return Error::from_errno(errno, "cannot read " + options.configuration);
    auto configuration = read_trusted_file(options.configuration);
    if (!configuration) return configuration.error().with_context(options.configuration);
    auto volumes = hooks::KnownVolumes::make(*configuration, own_mountinfo());
    if (!volumes) return volumes.error().with_context(options.configuration);
    SFG_TRY_ASSIGN(const auto to, hooks::parse_access(options.to));
    SFG_TRY_ASSIGN(auto domain, hooks::DomainXml::parse(read_input()));
    SFG_TRY_ASSIGN(
        const auto outcome,
        hooks::rewrite_images(domain, *volumes, [to](const hooks::KnownVolume&) { return to; }));
    for (const auto& image : outcome.rewritten)
        std::cerr << image.disk << ": " << image.from << " -> " << image.to << "\n";
    for (const auto& image : outcome.left)
        std::cerr << image.disk << ": " << image.from
                  << " is left as it is: the volume is neither mounted here nor in "
                  << options.configuration << "\n";
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
    app->add_option("--to", options->to, "network: qemu's gluster driver; file: FUSE mounts")
        ->required()
        ->check(CLI::IsMember({"network", "file"}));
    app->add_option("--config", options->configuration, "where gluster volumes are described")
        ->capture_default_str();
    return {app, [options] { return run(*options); }};
}

}  // namespace sfg::command
