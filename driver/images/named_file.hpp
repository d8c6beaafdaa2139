// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "driver/gluster/address.hpp"

namespace sfg {

// A file as a recorded name names it. Text alone: whether it is there is another question.
struct NamedFile {
    enum class Kind {
        relative,           // `path` as written ("../b"): from the directory of the recording image
        gluster,            // `volume`, `path` from its root, `servers` (none: localhost)
        local,              // `path`, absolute, on whatever host opens the image
        working_directory,  // `path` as written: from where the program that opens it happens to
                            // run
        elsewhere,          // surely no file that a gluster volume could hold: nbd:, rbd:, http:
        unknown,            // cannot be understood: may be anything
    };

    Kind kind = Kind::unknown;
    // Of kind gluster normalized, without a leading '/', and "" where no path is given; of kind
    // local normalized, with it. What ".." leads out of the root is in the root, as it is for the
    // kernel and for gfapi (glfs_resolve_component).
    std::string path = {};
    std::string volume = {};  // gluster only; a name that gluster allows (is_volume_name)
    std::vector<Server> servers = {};
    // ".." stood behind a name in `path`: where that name is a symbolic link, the file is another
    // one than `path` says.
    bool climbs = false;

    bool operator==(const NamedFile&) const = default;
};

// What a program opens that is given the bare name `name`: local or working_directory.
NamedFile file_of_bare_name(const std::string& name);

// The file `path` of a gluster volume; unknown where no volume can have that name.
NamedFile file_of_gluster(const std::string& volume, const std::string& path,
                          std::vector<Server> servers);

}  // namespace sfg
