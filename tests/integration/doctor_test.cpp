// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sf-gluster doctor on a real host: that it sees what is wrong, and that what it says mends it.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/guest_fixture.hpp"
#include "tests/support/hidden_driver.hpp"
#include "tests/support/persistent_guest.hpp"

namespace sfg::test {
namespace {

class DoctorTest : public GuestTest {
  protected:
    // The installed one: it looks at the modules beside it.
    Ran doctor(const std::string& words = "") {
        return shell(lab().install_root() + "/usr/bin/sf-gluster doctor " + words);
    }
    static bool says(const Ran& ran, const std::string& part) {
        return ran.output.find(part) != std::string::npos;
    }
};

}  // namespace

TEST_F(DoctorTest, SeesWhatIsFine) {
    lab().mount_of(lab().volume());
    const Ran ran = doctor();
    EXPECT_TRUE(says(ran, "fine     gluster pools: served by ")) << ran.output;
    EXPECT_TRUE(says(ran, "fine     gluster disks of guests: served by ")) << ran.output;
    EXPECT_TRUE(says(ran, "fine     hook: /etc/libvirt/hooks/qemu.d/50-sf-gluster")) << ran.output;
    EXPECT_TRUE(says(ran, "fine     emulator /usr/bin/qemu-system-x86_64")) << ran.output;
    EXPECT_TRUE(says(ran, "fine     volume " + lab().volume() + ": reached over gfapi"))
        << ran.output;
    EXPECT_TRUE(says(ran, "note     mount " + lab().mount_of(lab().volume()) + ": mounted"))
        << ran.output;
    EXPECT_FALSE(says(ran, "problem  ")) << ran.output;
}

TEST_F(DoctorTest, NamesWhatIsWrongAndWhatMendsIt) {
    const HiddenDriver hidden;
    const auto guest =
        PersistentGuest::define(client(), quick_guest(lab(), "patient", {on_gluster("vda")}).xml());
    ASSERT_TRUE(done(guest));
    const std::string image = fuse("unpadded");
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + quoted(image) + " 1M").ok());
    ASSERT_TRUE(
        lab().gluster({"volume", "set", lab().volume(), "performance.write-behind", "off"}).ok());
    lab().configure(
        1, "[volume elsewhere]\nservers=" + lab().gluster_host() + "\nmount=/srv/elsewhere\n");
    const Ran ran = doctor();
    EXPECT_EQ(ran.status, 1);
    EXPECT_TRUE(says(ran, "has no gluster driver, and guests have network disks: patient"))
        << ran.output;
    EXPECT_TRUE(says(ran, "mend: install the package qemu-block-extra")) << ran.output;
    EXPECT_TRUE(
        says(ran, "mend: gluster volume set " + lab().volume() + " performance.write-behind on"))
        << ran.output;
    EXPECT_TRUE(says(ran, "problem  volume elsewhere: it cannot be reached")) << ran.output;
    EXPECT_TRUE(says(ran,
                     "warning  mount /srv/elsewhere: it is not mounted\n         mend: mount -t "
                     "glusterfs " +
                         lab().gluster_host() + ":/elsewhere /srv/elsewhere"))
        << ran.output;
    EXPECT_TRUE(says(ran, "mend: truncate --no-create --size=%512 " + image)) << ran.output;
    EXPECT_TRUE(says(doctor("--json"), "\"ok\": false"));
    lab().configure(1, "");
    lab().gluster({"volume", "reset", lab().volume(), "performance.write-behind"});
}

}  // namespace sfg::test
