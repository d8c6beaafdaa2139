// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/mount_client.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "driver/core/path.hpp"

namespace sfg::hooks {

std::vector<Server> servers_of_client(const FuseMount& mount, std::string_view command_line) {
    std::vector<std::string> hosts;
    std::string volume, directory, last;
    int port = 0;
    while (!command_line.empty()) {
        const std::string word(command_line.substr(0, command_line.find('\0')));
        command_line.remove_prefix(std::min(command_line.size(), word.size() + 1));
        auto takes = [&](std::string_view option, std::string& value) {
            if (!std::string_view(word).starts_with(option)) return false;
            value = word.substr(option.size());
            return true;
        };
        std::string value;
        // The volume's name may have a transport behind it, "shakenfist.tcp" (mount.glusterfs).
        if (takes("--volfile-id=", value)) {
            volume = normalized(value).value_or("");
            volume = volume.substr(0, volume.find('.'));
        } else if (takes("--volfile-server=", value)) {
            hosts.push_back(value);
        } else if (takes("--volfile-server-port=", value)) {
            const auto [end, fault] =
                std::from_chars(value.data(), value.data() + value.size(), port);
            if (fault != std::errc() || port < 1 || port > 65535) port = 0;
        } else {
            takes("--subdir-mount=", directory);
        }
        last = word;
    }
    std::vector<Server> servers;
    if (volume != mount.volume || normalized(directory) != mount.directory ||
        "/" + normalized(last).value_or("") != mount.mount_point)
        return servers;
    for (const auto& host : hosts) {
        const Server server = host.starts_with('/') ? Server{"", 0, host} : Server{host, port};
        if (!has_server(servers, server)) servers.push_back(server);
    }
    return servers;
}

}  // namespace sfg::hooks
