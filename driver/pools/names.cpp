// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/pools/names.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <vector>

#include "driver/core/log.hpp"
#include "driver/core/utf8.hpp"

namespace sfg {
namespace {

constexpr std::string_view kMark = ".sfgluster-";
constexpr std::size_t kIdDigits = 16;

bool has_control_character(std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) return true;
    }
    return false;
}

// What is wrong with one component of a name; empty when nothing is.
std::string fault_of(std::string_view component) {
    if (component.empty()) return "has an empty component";
    if (component == "." || component == "..")
        return "has the component '" + std::string(component) + "'";
    if (has_control_character(component)) return "has a control character";
    if (!is_utf8(component)) return "is not valid UTF-8";
    if (component.size() > kLongestComponent)
        return "has a component of " + std::to_string(component.size()) + " bytes, over the " +
               std::to_string(kLongestComponent) + " that gluster takes";
    if (is_temporary_name(std::string(component)))
        return "has the form of this driver's temporary files";
    return "";
}

}  // namespace

bool is_glusters_own(std::string_view component) {
    return component == ".trashcan" || component == ".glusterfs";
}

bool is_glusters_own(const Gfid& gfid) {
    constexpr unsigned char kTrash = 5;
    constexpr unsigned char kInternalOperations = 6;
    const auto last = gfid.bytes.back();
    if (last != kTrash && last != kInternalOperations) return false;
    return std::all_of(gfid.bytes.begin(), gfid.bytes.end() - 1,
                       [](unsigned char byte) { return byte == 0; });
}

Result<void> check_volume_name(const std::string& name) {
    auto refuse = [&](const std::string& why) {
        return Error(ErrorKind::invalid, "volume name '" + escaped(name) + "' " + why);
    };
    if (name.starts_with('/')) return refuse("begins with '/'");
    if (name.size() > kLongestPath)
        return refuse("is longer than " + std::to_string(kLongestPath) + " bytes");
    const auto parts = split_path(name);
    if (parts.size() > kMostComponents)
        return refuse("has more than " + std::to_string(kMostComponents) + " components");
    for (const std::string_view component : parts) {
        if (std::string fault = fault_of(component); !fault.empty()) return refuse(fault);
        if (is_glusters_own(component)) return refuse("is reserved for gluster");
    }
    return {};
}

bool is_shown(const std::string& component) {
    return fault_of(component).empty() && component.find('/') == std::string::npos &&
           !is_glusters_own(component);
}

std::string temporary_name(const std::string& component, std::uint64_t id) {
    char digits[kIdDigits + 1];
    std::snprintf(digits, sizeof(digits), "%016" PRIx64, id);
    // A name too long to be wrapped is cut. It hashes elsewhere then, which costs a link file.
    const std::size_t room = kLongestComponent - 1 - kMark.size() - kIdDigits;
    return "." + component.substr(0, std::min(component.size(), room)) + std::string(kMark) +
           digits;
}

bool is_temporary_name(const std::string& component) {
    const std::size_t tail = kMark.size() + kIdDigits;
    if (!component.starts_with('.') || component.size() < tail + 1) return false;
    const std::string_view end = std::string_view(component).substr(component.size() - tail);
    return end.starts_with(kMark) &&
           end.find_first_not_of("0123456789abcdef", kMark.size()) == std::string_view::npos;
}

}  // namespace sfg
