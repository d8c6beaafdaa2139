// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sf-gluster: what the driver's and the hook's knowledge is good for by hand.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "driver/core/fuse_mounts.hpp"
#include "driver/core/trusted_file.hpp"
#include "hooks/rewrite/rewrite.hpp"

namespace {

using namespace sfg;

constexpr char kConfiguration[] = "/etc/libvirt/sf-gluster.conf";

struct RewriteOptions {
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

Result<std::string> rewrite(const RewriteOptions& options) {
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
    return domain.text();
}

int run(int count, char** words) {
    CLI::App app{"Gluster volumes as libvirt storage: tools for guests' documents", "sf-gluster"};
    app.set_version_flag("--version", SFG_VERSION);
    app.require_subcommand(1);
    RewriteOptions options;
    CLI::App* const command = app.add_subcommand(
        "rewrite",
        "Reads a domain document from standard input and writes it with its gluster images as "
        "network or file disks to standard output; tells on standard error what it changed");
    command->add_option("--to", options.to, "network: qemu's gluster driver; file: FUSE mounts")
        ->required()
        ->check(CLI::IsMember({"network", "file"}));
    command->add_option("--config", options.configuration, "where gluster volumes are described")
        ->capture_default_str();
    try {
        app.parse(count, words);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }

    const auto text = rewrite(options);
    if (!text) {
        std::cerr << "sf-gluster: " << text.error().message() << "\n";
        return 1;
    }
    std::cout << *text << std::flush;
    if (std::cout) return 0;
    std::cerr << "sf-gluster: cannot write the document to standard output\n";
    return 1;
}

}  // namespace

int main(int count, char** words) {
    try {
        return run(count, words);
    } catch (const std::exception& error) {
        std::cerr << "sf-gluster: " << error.what() << "\n";
        return 1;
    }
}
