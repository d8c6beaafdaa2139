// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sf-gluster: what the driver's and the hook's knowledge is good for by hand.
#include <exception>
#include <iostream>

#include "hooks/command/subcommands.hpp"
#include "hooks/host/standard_streams.hpp"

namespace {

using namespace sfg;

int run(int count, char** words) {
    CLI::App program{"Gluster volumes as libvirt storage: tools for guests' documents",
                     "sf-gluster"};
    program.set_version_flag("--version", SFG_VERSION);
    program.require_subcommand(1);
    program.footer("The whole of it: man sf-gluster");
    const command::Subcommand subcommands[] = {
        command::add_rewrite(program),  command::add_convert(program),
        command::add_template(program), command::add_resolve(program),
        command::add_doctor(program),
    };
    try {
        program.parse(count, words);
    } catch (const CLI::ParseError& error) {
        return program.exit(error) == 0 ? 0 : 2;
    }
    for (const auto& subcommand : subcommands) {
        if (!subcommand.app->parsed()) continue;
        const auto status = subcommand.run();
        if (!status) {
            command::say(status.error().message());
            return 1;
        }
        std::cout << std::flush;
        if (std::cout) return *status;
        command::say("cannot write to standard output");
        return 1;
    }
    return 2;
}

}  // namespace

void sfg::command::say(const std::string& sentence) {
    std::cerr << "sf-gluster: " << sentence << "\n";
}

int main(int count, char** words) {
    hooks::open_standard_streams();
    try {
        return run(count, words);
    } catch (const std::exception& error) {
        command::say(error.what());
        return 1;
    }
}
