// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a host says of its gluster volumes: configuration, mountinfo, fstab, a pool's document and a
// command line, with a line of "%%" between them, and last a path to be found. Nothing of it
// crashes, and a place that is found there and back is the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "driver/core/path.hpp"
#include "hooks/rewrite/known_volumes.hpp"
#include "hooks/rewrite/mount_client.hpp"
#include "hooks/rewrite/shell_word.hpp"

namespace {

using namespace sfg;
using namespace sfg::hooks;

std::vector<std::string> parts_of(std::string_view text) {
    std::vector<std::string> parts;
    for (;;) {
        const auto end = text.find("\n%%\n");
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        parts.back() += '\n';
        text.remove_prefix(end + 4);
    }
    parts.resize(6);
    return parts;
}

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto parts = parts_of({reinterpret_cast<const char*>(data), size});
    HostDescription host{parts[0], parts[1], parts[2]};
    if (auto pool = parse_pool_document(parts[3])) host.pools.push_back(*pool);
    host.servers_of_mount = [&](const FuseMount& mount) {
        return servers_of_client(mount, parts[4]);
    };
    const auto volumes = KnownVolumes::make(host);
    if (!volumes) return 0;
    const auto place = volumes->locate(parts[5]);
    if (!place) return 0;
    check(volumes->find(place->volume->name) == place->volume);
    volumes->servers_of(*place->volume);
    // Where it is, it is found again; perhaps by another mount.
    const auto local = volumes->local_path(*place->volume, place->path);
    if (!local) return 0;
    const auto again = volumes->locate(local->path);
    check(again && again->volume == place->volume && again->path == place->path);
    shell_word(local->path);
    return 0;
}
