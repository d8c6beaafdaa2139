// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/pool_pair.hpp"

namespace sfg::bench {
namespace {

std::string gluster_xml(const Options& options, const std::string& name,
                        const std::string& directory) {
    return test::PoolSpec{name, options.volume, directory, {{options.host, 0}}}.xml();
}

std::string fuse_xml(const std::string& name, const std::string& path) {
    return "<pool type='dir'><name>" + name + "</name><target><path>" + path +
           "</path></target></pool>";
}

}  // namespace

PoolPair::PoolPair(const test::Client& client, const Options& options,
                   const ScratchDirectory& scratch, const std::string& directory)
    : gluster(client, "bench-gluster",
              gluster_xml(options, "bench-gluster", scratch.in_volume() + "/" + directory)),
      fuse(client, "bench-fuse",
           fuse_xml("bench-fuse", options.mount + scratch.in_volume() + "/" + directory)) {}

}  // namespace sfg::bench
