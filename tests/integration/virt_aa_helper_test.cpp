// SPDX-License-Identifier: LGPL-2.1-or-later
//
// virt-aa-helper, which libvirtd runs at each start of a guest under AppArmor, opens our module and
// follows the chains of the guest's disks with it. It is run by itself here, without AppArmor, and
// clears its environment: our module is put over libvirt's in a mount namespace.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "tests/support/guest_fixture.hpp"

namespace sfg::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kUuid[] = "7f3a3c0e-52dd-4b1c-9d0e-6a1f50f6f0aa";
constexpr char kModule[] = "/libvirt/storage-file/libvirt_storage_file_gluster.so";

class VirtAaHelperTest : public GuestTest {
  protected:
    // What it would write for a guest on these disks.
    Ran profile_for(const std::vector<DiskSpec>& disks) {
        std::string xml = GuestSpec{"aa", disks, {}}.xml();
        xml.insert(xml.find("<memory"), std::string("<uuid>") + kUuid + "</uuid>");
        const std::string document = local("guest.xml");
        std::ofstream(document) << xml;
        const std::string installed = lab().install_root() + SFG_LIBDIR + kModule;
        return shell("unshare --mount sh -ec 'mount --bind " + quoted(installed) + " " SFG_LIBDIR +
                     kModule +
                     // The loader goes by where it is, so the rest is put beside.
                     "; mkdir -p " SFG_LIBDIR "/sf-gluster; mount --bind " +
                     quoted(lab().install_root() + SFG_LIBDIR + "/sf-gluster") +
                     " " SFG_LIBDIR
                     "/sf-gluster; exec /usr/lib/libvirt/virt-aa-helper --dryrun "
                     "--create -u libvirt-" +
                     kUuid + " < " + quoted(document) + "'");
    }
};

}  // namespace

TEST_F(VirtAaHelperTest, FindsTheLocalBaseOfAGlusterDisk) {
    const std::string base = local("base.qcow2");
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + quoted(base) + " 64M").ok());
    make_overlay("disk", base);
    make_overlay("top", "disk");
    const auto start = Clock::now();
    const Ran ran = profile_for({on_gluster("top")});
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    EXPECT_TRUE(ran.ok()) << ran.output;
    EXPECT_NE(ran.output.find("\"" + base + "\" rk"), std::string::npos) << ran.output;
    // It says nothing of its own, and does not wait for gluster's client at its end.
    EXPECT_EQ(ran.output.find("sf-gluster: "), std::string::npos) << ran.output;
    EXPECT_LT(seconds, 5);
}

TEST_F(VirtAaHelperTest, DoesNotAskAServerThatOnlyAnImageNames) {
    make_overlay("disk", "gluster://" + lab().silent_host() + "/volume/base");
    const auto start = Clock::now();
    const Ran ran = profile_for({on_gluster("disk")});
    EXPECT_TRUE(ran.ok()) << ran.output;
    EXPECT_LT(std::chrono::duration<double>(Clock::now() - start).count(), 3);
}

TEST_F(VirtAaHelperTest, WorksForLocalDisksWithoutGluster) {
    const std::string disk = local("disk.qcow2");
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + quoted(disk) + " 64M").ok());
    const Ran ran = profile_for({file_disk(disk)});
    EXPECT_TRUE(ran.ok()) << ran.output;
    EXPECT_NE(ran.output.find("\"" + disk + "\" rwk"), std::string::npos) << ran.output;
}

}  // namespace sfg::test
