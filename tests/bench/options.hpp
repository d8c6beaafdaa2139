// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace sfg::bench {

struct Options {
    std::string connect = "qemu:///system";
    std::string host;               // a gluster server
    std::string volume;             // the gluster volume
    std::string mount;              // FUSE mount that the dir pool is on
    std::string side_mount;         // another one, for changing files behind both pools' backs
    pid_t libvirtd = 0;             // 0: growth is not measured
    int operations = 50;            // of each kind on each pool
    int volumes = 1000;             // in the directory that is refreshed
    int refreshes = 11;             // first and repeated ones, each, on each pool
    int rounds = 1000;              // for growth
    std::uint64_t transfer = 1024;  // MiB of a volume that is moved
    int guests = 11;                // starts of a guest, and of ten at once, on each kind of disk
    std::string quick_close;        // for qemus; empty: guests are not measured
    bool ceilings = true;           // measure them
};

// Prints usage and ends the process where the arguments are wrong or ask for help.
Options parse_options(int argc, char** argv);

}  // namespace sfg::bench
