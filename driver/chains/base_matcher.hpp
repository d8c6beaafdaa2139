// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "driver/core/result.hpp"
#include "driver/gluster/gfid.hpp"
#include "driver/images/recorded_name.hpp"

namespace sfg {

// Whether what an image records leads to one file, the base: for the question who needs it. Makes
// no connection and looks at no path of this host.
class BaseMatcher {
  public:
    // Asks the base's own gluster volume what stands at a path from its root, links followed.
    using Follow = std::function<Result<Gfid>(const std::string& path)>;

    // The base's gluster volume, its path there from the root, and /proc/self/mountinfo.
    BaseMatcher(std::string volume, std::string path, const Gfid& base, std::string mountinfo,
                Follow follow);

    // What a walk has seen: saves asking for it. No links.
    void learn(std::string path, const Gfid& gfid);

    // A further name of the base: a hard link, or a link that leads to it.
    void learn_name_of_base(const std::string& path);

    enum class Match {
        no,
        yes,
        unclear,  // it may
    };
    // What the image at `image` (from the volume's root) records; `data_file` where it is not a
    // base but the file that its data is in, which qemu looks for from its own working directory
    // and libvirt from the image's. Errors are gluster's.
    Result<Match> match(const std::string& image, const std::string& recorded, bool data_file);

    // The same of an image in another gluster volume: `yes` where it surely records the base. What
    // is not certain there is "no".
    Result<Match> match_elsewhere(const std::string& recorded, bool data_file);

  private:
    Result<Match> match_file(const std::string& image, const NamedFile& file);
    Result<Match> where_it_says(const std::string& image, const NamedFile& file);
    Result<Match> relative(const std::string& image, const std::string& name);
    Result<Match> local(const std::string& path);
    Result<Match> in_volume(const std::string& path);
    Match tail(const std::string& path) const;

    const std::string volume_;
    const std::string path_;
    const Gfid base_;
    const std::string mountinfo_;
    const Follow follow_;
    std::unordered_set<std::string> names_;           // the last components of the base's names
    std::unordered_map<std::string, Gfid> files_;     // by path from the volume's root
    std::unordered_map<std::string, Match> answers_;  // of names that were looked up
};

}  // namespace sfg
