// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/options.hpp"

#include <getopt.h>

#include <cstdio>
#include <cstdlib>

namespace sfg::bench {
namespace {

[[noreturn]] void usage(int status) {
    std::fputs(
        "usage: pool_bench --host HOST --volume VOLUME --mount DIR --side-mount DIR [options]\n"
        "\n"
        "Times storage operations of a gluster pool and of a dir pool on a FUSE mount of the same\n"
        "gluster volume, turn by turn over one libvirt connection, and prints the medians.\n"
        "tests/bench/run starts it in a lab of its own.\n"
        "\n"
        "  --host HOST        a gluster server\n"
        "  --volume VOLUME    the gluster volume\n"
        "  --mount DIR        FUSE mount of it that the dir pool is on\n"
        "  --side-mount DIR   a second one, for changing files behind both pools' backs\n"
        "  --connect URI      libvirt to use (qemu:///system)\n"
        "  --libvirtd PID     whose memory, threads and descriptors are watched (none)\n"
        "  --operations N     creations and deletions of each kind on each pool (50)\n"
        "  --volumes N        in the directory that is refreshed (1000)\n"
        "  --refreshes N      first and repeated ones on each pool (11)\n"
        "  --rounds N         of create, delete, refresh for growth (1000)\n"
        "  --transfer MIB     size of the volumes that are moved (1024)\n"
        "  --guests N         starts of a guest, and of ten at once, on each kind of disk (11)\n"
        "  --quick-close FILE quick-close.so, where qemu's user can read it; without it guests "
        "are\n"
        "                     left out: each that ends would cost ten seconds\n"
        "  --quick            less of each, for a run within a minute\n",
        status == 0 ? stdout : stderr);
    std::exit(status);
}

int count_of(const char* text) {
    char* end = nullptr;
    const long value = std::strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > 10'000'000) usage(2);
    return static_cast<int>(value);
}

}  // namespace

Options parse_options(int argc, char** argv) {
    const option known[] = {{"host", required_argument, nullptr, 'h'},
                            {"volume", required_argument, nullptr, 'v'},
                            {"mount", required_argument, nullptr, 'm'},
                            {"side-mount", required_argument, nullptr, 's'},
                            {"connect", required_argument, nullptr, 'c'},
                            {"libvirtd", required_argument, nullptr, 'p'},
                            {"operations", required_argument, nullptr, 'o'},
                            {"volumes", required_argument, nullptr, 'n'},
                            {"refreshes", required_argument, nullptr, 'f'},
                            {"rounds", required_argument, nullptr, 'r'},
                            {"transfer", required_argument, nullptr, 't'},
                            {"guests", required_argument, nullptr, 'g'},
                            {"quick-close", required_argument, nullptr, 'l'},
                            {"quick", no_argument, nullptr, 'q'},
                            {"help", no_argument, nullptr, 'H'},
                            {nullptr, 0, nullptr, 0}};
    Options options;
    for (int name; (name = getopt_long(argc, argv, "", known, nullptr)) != -1;) {
        switch (name) {
            case 'h':
                options.host = optarg;
                break;
            case 'v':
                options.volume = optarg;
                break;
            case 'm':
                options.mount = optarg;
                break;
            case 's':
                options.side_mount = optarg;
                break;
            case 'c':
                options.connect = optarg;
                break;
            case 'p':
                options.libvirtd = count_of(optarg);
                break;
            case 'o':
                options.operations = count_of(optarg);
                break;
            case 'n':
                options.volumes = count_of(optarg);
                break;
            case 'f':
                options.refreshes = count_of(optarg);
                break;
            case 'r':
                options.rounds = count_of(optarg);
                break;
            case 't':
                options.transfer = static_cast<std::uint64_t>(count_of(optarg));
                break;
            case 'g':
                options.guests = count_of(optarg);
                break;
            case 'l':
                options.quick_close = optarg;
                break;
            case 'q':
                options.guests = 3;
                options.operations = 15;
                options.refreshes = 3;
                options.rounds = 200;
                options.transfer = 128;
                options.ceilings = false;
                break;
            case 'H':
                usage(0);
            default:
                usage(2);
        }
    }
    if (optind != argc || options.host.empty() || options.volume.empty() || options.mount.empty() ||
        options.side_mount.empty())
        usage(2);
    return options;
}

}  // namespace sfg::bench
