// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "tests/support/libvirt_client.hpp"

namespace sfg::test::random {

// A tree in the lab's gluster volume: a directory, another one in it, and a few names in both. On
// each host a pool is over the whole of it and one over the inner directory alone, so that each
// file in there is known by two names.
struct Playground {
    std::string volume;
    std::string gluster_host;
    std::string directory;  // in the gluster volume
    std::string fuse;       // on a mount
    std::vector<std::string> bricks;
    std::string scratch;  // of this host, for files of ours

    static constexpr char kOuter[] = "random-outer";
    static constexpr char kInner[] = "random-inner";
    static constexpr char kSub[] = "sub";

    std::vector<std::string> names() const {
        return {"a", "b", "c", "d", "sub/a", "sub/b", "sub/c", "sub/d"};
    }
    std::string on_fuse(const std::string& name) const { return fuse + "/" + name; }
    std::string uri(const std::string& name) const {
        return "gluster://" + gluster_host + "/" + volume + directory + "/" + name;
    }
    PoolSpec pool(bool inner) const {
        PoolSpec spec;
        spec.name = inner ? kInner : kOuter;
        spec.volume = volume;
        spec.directory = directory + (inner ? std::string("/") + kSub : "");
        spec.hosts = {{gluster_host, 0}};
        return spec;
    }
};

inline bool is_in_sub(const std::string& name) {
    return name.starts_with("sub/");
}
// As the inner pool has it.
inline std::string below_sub(const std::string& name) {
    return name.substr(4);
}
inline std::string directory_of(const std::string& name) {
    const auto slash = name.rfind('/');
    return slash == std::string::npos ? "" : name.substr(0, slash);
}

}  // namespace sfg::test::random
