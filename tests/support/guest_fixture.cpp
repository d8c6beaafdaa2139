// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/guest_fixture.hpp"

#include <pwd.h>
#include <sys/stat.h>

namespace sfg::test {

DiskSpec GuestTest::on_gluster(const std::string& name) const {
    return on_gluster(name, {lab().gluster_host()});
}

DiskSpec GuestTest::on_gluster(const std::string& name,
                               const std::vector<std::string>& hosts) const {
    return network_disk(lab().volume(), in_volume(name), hosts);
}

DiskSpec GuestTest::on_fuse(const std::string& name) const {
    return file_disk(fuse(name));
}

Answer<Guest> GuestTest::run(const std::vector<DiskSpec>& disks, const std::string& name) {
    return Guest::start(client(), quick_guest(lab(), name, disks));
}

void GuestTest::make_overlay(const std::string& name, const std::string& base,
                             const std::string& size) const {
    const Ran made =
        shell("mkdir -p \"$(dirname " + quoted(fuse(name)) +
              ")\" && qemu-img create -q -u -f qcow2 -F qcow2 -b " + quoted(base) + " " +
              quoted(fuse(name)) + " " + size + " && truncate -s %65536 " + quoted(fuse(name)));
    ASSERT_TRUE(made.ok()) << made.output;
}

std::string GuestTest::in_volume(const std::string& name) const {
    return directory_in_volume().substr(1) + "/" + name;
}

std::string GuestTest::shown(const std::string& name) const {
    return lab().volume() + "/" + in_volume(name);
}

uid_t GuestTest::owner(const std::string& name) const {
    struct stat found {};
    EXPECT_EQ(stat(brick(name).c_str(), &found), 0) << name;
    return found.st_uid;
}

uid_t GuestTest::qemus_user() {
    const passwd* const entry = getpwnam("libvirt-qemu");
    return entry != nullptr ? entry->pw_uid : 0;
}

uid_t GuestTest::owner_afterwards(uid_t before) {
    unsigned long version = 0;
    virGetVersion(&version, nullptr, nullptr);
    return version < 11'003'000 ? before : qemus_user();
}

}  // namespace sfg::test
