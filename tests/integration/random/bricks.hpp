// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/integration/random/history.hpp"
#include "tests/integration/random/playground.hpp"

namespace sfg::test::random {

// What stands on the bricks' own disks, whoever reaches them: the truth of the test.
struct Seen {
    FileState state;
    std::string path;    // on the brick
    std::string damage;  // what qemu-img check says of an image that is not sound
    bool only_leaks = false;
    int links = 1;  // names that the file has
};

struct Snapshot {
    std::map<std::string, Seen> files;  // by name from the tree's top
    std::vector<std::string> twice;     // names that have a file on both bricks
    std::vector<std::string> others;    // neither files nor the inner directory

    std::map<std::string, FileState> states() const;
};

// A look at one name, at any time and cheaply; the block only of what is raw.
FileState peek(const Playground& ground, const std::string& name);
// The same with its times, and with those who have it as their base if they are asked for.
Look look_at(const Playground& ground, const std::string& name, bool overlays);
// The names of those that have this one as their base at the moment.
std::vector<std::string> overlays_of(const Playground& ground, const std::string& name);

// Calls aim at what they can be done to more often than chance would have it.
enum class Wish { anything, there, not_there, a_base };
// Of these, one that fits, or any; `start` says where the search begins.
std::string fitting_name(const Playground& ground, Wish wish, std::size_t start);

// Everything, contents and soundness of images as well. Nobody may be at work.
Snapshot look(const Playground& ground);

// What a name is on each brick, notes of distribution included, and what it is over FUSE.
std::string everywhere(const Playground& ground, const std::string& name);

// .NAME.sfgluster-ID; the path of NAME, or nothing.
std::string made_into(const std::string& temporary);

}  // namespace sfg::test::random
