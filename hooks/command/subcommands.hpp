// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "driver/core/result.hpp"

namespace sfg::command {

// A subcommand of sf-gluster: its options, and what it does once they have been read. `run` writes
// its results to standard output and returns the exit status; an Error is said on standard error
// and is status 1.
struct Subcommand {
    CLI::App* app;
    std::function<Result<int>()> run;
};

Subcommand add_rewrite(CLI::App& program);
Subcommand add_convert(CLI::App& program);
Subcommand add_template(CLI::App& program);
Subcommand add_resolve(CLI::App& program);
Subcommand add_doctor(CLI::App& program);

// "sf-gluster: ..." on standard error.
void say(const std::string& sentence);

}  // namespace sfg::command
