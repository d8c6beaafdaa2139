// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/templates/options.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "driver/core/log.hpp"
#include "driver/core/path.hpp"
#include "hooks/rewrite/server_word.hpp"
#include "hooks/templates/fill.hpp"

namespace sfg::hooks {
namespace {

constexpr std::size_t kLongestComponent = 255;  // bytes; NAME_MAX of the bricks
constexpr std::uint64_t kLargestSize = INT64_MAX;

Error wrong(const std::string& option, const std::string& value, const std::string& what) {
    return Error(ErrorKind::invalid, option + " '" + escaped(value) + "' " + what);
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_ipv6(const std::string& host) {
    in6_addr address;
    return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// What libvirt's basictypes.rng calls a dnsName; IPv4 addresses are among them.
bool is_host_name(const std::string& host) {
    return std::all_of(host.begin(), host.end(),
                       [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-'; });
}

}  // namespace

Result<void> check_given(const std::string& option, const std::string& value) {
    if (value.empty()) return Error(ErrorKind::invalid, option + " must be given, and not empty");
    if (!is_value(value)) return wrong(option, value, "has characters that XML has not");
    return {};
}

Result<void> check_name(const std::string& option, const std::string& value) {
    SFG_TRY(check_given(option, value));
    if (value.find('/') != std::string::npos) return wrong(option, value, "must not have a '/'");
    if (std::all_of(value.begin(), value.end(), [](char c) { return c == ' '; }))
        return wrong(option, value, "must not be blank");
    return {};
}

Result<void> check_path(const std::string& option, const std::string& value) {
    SFG_TRY(check_given(option, value));
    for (const auto component : split_path(value)) {
        if (component.empty() || component == "." || component == "..")
            return wrong(option, value,
                         "must be a path from the volume's root, without a '/' before or after it "
                         "and without '.', '..' and '//' in it");
        if (component.size() > kLongestComponent)
            return wrong(option, value, "has a component of over 255 bytes");
    }
    return {};
}

Result<void> check_word(const std::string& option, const std::string& value, const char* one,
                        const char* other) {
    if (value == one || value == other) return {};
    return wrong(option, value, std::string("must be ") + one + " or " + other);
}

Result<void> check_volume(const std::string& option, const std::string& value) {
    SFG_TRY(check_given(option, value));
    if (!is_volume_name(value))
        return wrong(option, value,
                     "is no name of a gluster volume: those have letters, digits, '-' and '_'");
    return {};
}

Result<void> check_uuid(const std::string& option, const std::string& value) {
    constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    const bool fits =
        std::equal(value.begin(), value.end(), kShape.begin(), kShape.end(),
                   [](char c, char shape) { return shape == 'x' ? is_hex(c) : c == shape; });
    if (fits) return {};
    return wrong(option, value, "is no UUID such as 3f0c5a86-7c1e-4b0f-9a52-1d3b7c9e2f10");
}

Result<void> check_target(const std::string& option, const std::string& value) {
    const bool fits =
        value.starts_with("vd") && value.size() >= 3 && value.size() <= 4 &&
        std::all_of(value.begin() + 2, value.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (fits) return {};
    return wrong(option, value, "is no disk of the virtio bus, such as vda or vdb");
}

Result<void> check_cpus(const std::string& option, const std::string& value) {
    unsigned count = 0;
    const char* const end = value.data() + value.size();
    const auto [stopped, fault] = std::from_chars(value.data(), end, count);
    if (fault == std::errc() && stopped == end && count >= 1 && count <= 4096 && value[0] != '0')
        return {};
    return wrong(option, value, "is no number from 1 to 4096");
}

Result<std::string> read_mount(const std::string& option, const std::string& value) {
    SFG_TRY(check_given(option, value));
    const auto path = normalized(value);
    if (!value.starts_with('/') || !path || path->empty())
        return wrong(option, value, "must be an absolute path, such as /srv/shakenfist");
    return "/" + *path;
}

Result<Server> read_host(const std::string& option, const std::string& value) {
    SFG_TRY(check_given(option, value));
    auto server = parse_server(value);
    if (server && !server->is_local() && (is_host_name(server->host) || is_ipv6(server->host)))
        return server;
    return wrong(option, value, "must be a host, host:port or [IPv6]:port");
}

Result<Size> read_size(const std::string& option, const std::string& value) {
    constexpr std::string_view kLetters = "KMGTPE";
    const auto unit_start = static_cast<std::size_t>(
        std::find_if_not(value.begin(), value.end(), is_digit) - value.begin());
    std::uint64_t number = 0;
    const auto [stopped, fault] = std::from_chars(value.data(), value.data() + unit_start, number);
    const std::string unit = value.substr(unit_start);
    const auto power =
        unit.empty() ? std::string_view::npos : kLetters.find(unit[0] == 'k' ? 'K' : unit[0]);
    const std::string rest = unit.empty() ? "" : unit.substr(1);
    if (unit_start == 0 || power == std::string_view::npos ||
        (rest != "" && rest != "B" && rest != "iB"))
        return wrong(option, value, "must be a whole number with a unit, such as 512M or 8G");
    const bool decimal = rest == "B";
    std::uint64_t largest = kLargestSize;
    for (std::size_t i = 0; i <= power; ++i) largest /= decimal ? 1000 : 1024;
    if (fault != std::errc() || number > largest)
        return wrong(option, value, "is more than libvirt can count");
    if (number == 0) return wrong(option, value, "must not be nothing");
    return Size{std::to_string(number), kLetters[power] + std::string(decimal ? "B" : "iB")};
}

}  // namespace sfg::hooks
