// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/host/read_host.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "driver/core/trusted_file.hpp"
#include "hooks/host/server_facts.hpp"
#include "hooks/rewrite/mount_client.hpp"

namespace sfg::hooks {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPools = 1000;
constexpr std::size_t kLongestCommandLine = 64 << 10;  // bytes

std::string believed(const std::string& path) {
    auto text = read_trusted_file(path);
    return text ? *std::move(text) : "";
}

// Where libvirt keeps the documents of its pools, and those of transient pools that are active.
std::vector<PoolDocument> read_pools() {
    std::vector<PoolDocument> pools;
    for (const char* directory : {"/etc/libvirt/storage", "/run/libvirt/storage"}) {
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator(directory, ignored)) {
            if (entry.path().extension() != ".xml" || pools.size() >= kMostPools) continue;
            const std::string text = believed(entry.path());
            // Most pools are of other types: reading them as XML would take longer.
            if (text.find("gluster") == std::string::npos) continue;
            auto pool = parse_pool_document(text);
            const bool known =
                pool && std::any_of(pools.begin(), pools.end(),
                                    [&](const auto& other) { return other.name == pool->name; });
            if (pool && !known) pools.push_back(*std::move(pool));
        }
    }
    return pools;
}

std::string first_bytes(const fs::path& path, std::size_t most) {
    std::ifstream file(path, std::ios::binary);
    std::string text(most, '\0');
    file.read(text.data(), static_cast<std::streamsize>(most));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

// Of the mount's client, a process of root's: anybody may start one with any words.
std::vector<Server> servers_of_mount(const FuseMount& mount) {
    std::error_code ignored;
    for (const auto& process : fs::directory_iterator("/proc", ignored)) {
        const auto& path = process.path();
        if (first_bytes(path / "comm", 16) != "glusterfs\n") continue;
        struct stat owner;
        if (stat(path.c_str(), &owner) < 0 || owner.st_uid != 0) continue;
        auto servers = servers_of_client(mount, first_bytes(path / "cmdline", kLongestCommandLine));
        if (!servers.empty()) return servers;
    }
    return {};
}

}  // namespace

Result<HostDescription> read_host(const std::string& configuration) {
    HostDescription host;
    auto text = read_trusted_file(configuration);
    if (!text) return text.error().with_context(configuration);
    host.configuration = *std::move(text);
    host.mountinfo = own_mountinfo();
    host.fstab = believed("/etc/fstab");
    host.pools = read_pools();
    host.servers_of_mount = servers_of_mount;
    host.bricks_of_mount = bricks_of_mount;
    host.addresses_of = addresses_of;
    return host;
}

}  // namespace sfg::hooks
