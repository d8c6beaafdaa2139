// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "driver/gluster/object.hpp"

namespace sfg {

// Which file stands under which name, so that a delete removes what was listed and not what another
// host put there since. Thread-safe; makes no gluster call.
class Catalogue {
  public:
    static Catalogue& instance();

    std::optional<Gfid> known(const std::string& volume_id, const std::string& path);
    void learn(const std::string& volume_id, const std::string& path, const Gfid& gfid);
    void forget(const std::string& volume_id, const std::string& path);

    // A creation failed: libvirt may ask for the volume's deletion, which has nothing to remove.
    // Forgotten when asked for, at the next success and at the next refresh.
    void note_failed_creation(const std::string& volume_id, const std::string& path);
    bool take_failed_creation(const std::string& volume_id, const std::string& path);

    // A refresh begins: what is learned from now on is newer than what it sees.
    std::uint64_t begin_refresh();

    // The refresh that began at `since` has seen `files`, all that is below `directory`: replaces
    // what was known there before, and drops the headers of files that are nowhere any more.
    void replace_below(const std::string& volume_id, const std::string& directory,
                       std::uint64_t since, const std::vector<std::pair<std::string, Gfid>>& files);

  private:
    struct File {
        Gfid gfid;
        std::uint64_t learned;  // by moments_
    };
    struct Volume {
        std::unordered_map<std::string, File> files;       // by path
        std::unordered_set<std::string> failed_creations;  // by path
    };

    std::mutex mutex_;
    std::map<std::string, Volume> volumes_;  // by volume-id
    std::uint64_t moments_ = 0;
};

}  // namespace sfg
