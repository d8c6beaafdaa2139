// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sfg::test::random {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

enum class Verb {
    // of libvirt
    create,
    clone,
    erase,
    upload,
    wipe,
    resize,
    download,
    info,
    refresh,
    start,
    // over FUSE
    fuse_create,
    fuse_remove,
    fuse_move,
    fuse_truncate,
    fuse_write,
};

// What is known of a file. An empty optional is what is not known.
struct FileState {
    bool exists = false;
    std::optional<std::string> gfid = {};
    std::optional<std::string> format = {};  // raw or qcow2
    std::optional<std::string> base = {};    // "" where it has none
    std::optional<std::string> block = {};   // what a guest reads at its beginning
    std::optional<std::uint64_t> capacity = {};
};

// What stood on the bricks' disks at some moment between the two times, which can be seen whoever
// is up.
struct Look {
    Time begin{};
    Time end{};
    FileState state;
    std::map<std::string, FileState> overlays;  // of the file, where they were asked for
};

std::string text_of(Verb verb);
bool is_of_fuse(Verb verb);

// One call with all that can be said of it: what was asked, when, and how it went. Names are paths
// from the top of the tree that the test plays in, whatever pool they were reached through.
struct Operation {
    int number = 0;
    std::string who;  // the thread
    int host = 0;     // of libvirtd; 0 for FUSE
    Verb verb = Verb::info;
    std::string name;
    std::string text;  // for the log: pool and parameters

    std::string from;    // of a clone: its source
    std::string to;      // of a move
    std::string format;  // of what is made
    std::string base;    // of what is made; none where empty
    std::optional<std::uint64_t> capacity;
    std::string block;  // what is written to the beginning: see blocks.hpp
    // At the name, around the call.
    std::optional<Look> before;
    std::optional<Look> after;

    Time begin{};
    Time end{};
    bool ended = false;
    int code = 0;                // libvirt's, or an errno; 0: done
    std::string message;         // why not
    bool was_moving = false;     // it failed when bytes had begun to go
    bool nothing_asked = false;  // there was nothing to do it to: no call

    std::vector<std::string> listed;    // by a refresh, as the pool names them
    std::string listed_below;           // what these names are below
    std::string read;                   // the block that a download began with
    std::optional<std::uint64_t> told;  // the capacity by vol-info

    bool done() const { return ended && code == 0; }
};

}  // namespace sfg::test::random
