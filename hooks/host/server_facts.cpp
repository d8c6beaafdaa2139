// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/host/server_facts.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "hooks/look/in_child.hpp"
#include "hooks/look/look_text.hpp"

namespace sfg::hooks {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLimit{2000};
constexpr std::size_t kMost = 256;  // words

void add_address(std::string& words, const sockaddr* address, socklen_t size) {
    std::array<char, NI_MAXHOST> text;
    if (getnameinfo(address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0)
        words += std::string(text.data()) + '\0';
}

void add_addresses_of(const std::string& host, std::string& words) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
        add_address(words, one->ai_addr, one->ai_addrlen);
    freeaddrinfo(found);
}

void add_own_addresses(std::string& words) {
    ifaddrs* found = nullptr;
    if (getifaddrs(&found) != 0) return;
    for (const ifaddrs* one = found; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr) continue;
        if (one->ifa_addr->sa_family == AF_INET)
            add_address(words, one->ifa_addr, sizeof(sockaddr_in));
        if (one->ifa_addr->sa_family == AF_INET6)
            add_address(words, one->ifa_addr, sizeof(sockaddr_in6));
    }
    freeifaddrs(found);
}

bool is_loopback(const Server& server) {
    return server.is_local() || server.host == "localhost" || server.host == "::1" ||
           server.host.starts_with("127.");
}

std::vector<std::string> words_in(const ChildSaid& said) {
    auto words = words_of(said.text.value_or(""));
    if (words.size() > kMost) words.resize(kMost);
    return words;
}

}  // namespace

std::vector<Server> bricks_of_mount(const std::string& mount_point) {
    const auto said = in_child(
        [&] {
            std::string words;
            std::error_code ignored;
            for (const auto& translator :
                 fs::directory_iterator(mount_point + "/.meta/graphs/active", ignored)) {
                std::ifstream file(translator.path() / "options" / "remote-host");
                std::string host;
                if (std::getline(file, host) && !host.empty()) words += host + '\0';
            }
            return words;
        },
        kLimit);
    std::vector<Server> bricks;
    for (const auto& host : words_in(said)) {
        const Server server = host.starts_with('/') ? Server{"", 0, host} : Server{host};
        if (!has_server(bricks, server)) bricks.push_back(server);
    }
    return bricks;
}

std::vector<std::string> addresses_of(const std::vector<Server>& servers) {
    return words_in(in_child(
        [&] {
            std::string words;
            for (const auto& server : servers) {
                if (is_loopback(server))
                    add_own_addresses(words);
                else
                    add_addresses_of(server.host, words);
            }
            return words;
        },
        kLimit));
}

}  // namespace sfg::hooks
