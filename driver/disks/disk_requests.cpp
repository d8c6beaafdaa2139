// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/disks/disk_requests.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "driver/core/parent.hpp"

namespace sfg {
namespace {

// The parent has its own limits, all below this one; the child cannot read the settings, whose lock
// a thread of the parent may have held.
constexpr std::chrono::hours kLongest{1};

constexpr char kChown[] = "chown";

// Fields that end with a NUL each; none can hold one, all come from libvirt's C strings.
class Fields {
  public:
    Fields& add(const std::string& field) {
        text_ += field;
        text_ += '\0';
        return *this;
    }
    Fields& add(std::uint64_t number) { return add(std::to_string(number)); }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

std::vector<std::string> fields_of(const std::string& text) {
    std::vector<std::string> fields;
    std::size_t begin = 0;
    for (std::size_t end; (end = text.find('\0', begin)) != std::string::npos; begin = end + 1)
        fields.push_back(text.substr(begin, end - begin));
    return fields;
}

std::uint64_t number_of(const std::string& field) {
    return std::strtoull(field.c_str(), nullptr, 10);
}

}  // namespace

Result<void> chown_disk_by_parent(const Disk& disk, User owner) {
    Fields fields;
    fields.add(kChown).add(owner.user).add(owner.group);
    fields.add(disk.address.volume).add(disk.path).add(disk.named_by_image ? 1 : 0);
    for (const auto& server : disk.address.servers)
        fields.add(server.host).add(static_cast<std::uint64_t>(server.port)).add(server.socket);
    return ask_parent(fields.text(), kLongest);
}

Result<void> serve_disk_request(const std::string& request) {
    constexpr std::size_t kHead = 6;
    constexpr std::size_t kOfServer = 3;
    const auto fields = fields_of(request);
    if (fields.size() < kHead || (fields.size() - kHead) % kOfServer != 0 || fields[0] != kChown)
        return Error(ErrorKind::invalid, EPROTO, "a child process asked for what it may not");
    const User owner{static_cast<uid_t>(number_of(fields[1])),
                     static_cast<gid_t>(number_of(fields[2]))};
    Disk disk;
    disk.address.volume = fields[3];
    disk.path = fields[4];
    disk.named_by_image = fields[5] == "1";
    for (std::size_t i = kHead; i < fields.size(); i += kOfServer)
        disk.address.servers.push_back(
            {fields[i], static_cast<int>(number_of(fields[i + 1])), fields[i + 2]});
    return chown_disk(disk, owner);
}

}  // namespace sfg
