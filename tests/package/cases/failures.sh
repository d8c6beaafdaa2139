# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# Packages that fail in the middle: what was there before is there after.

new_tree failures

# What apt has unpacked with it is not what is tried.
fails() {
    refuted told install_deb "$@" || return 1
    [ -n "${unconfigured:-}" ] || in_tree dpkg --configure --pending
}

check "its preinst fails" fails "$(variant preinst-fails fail_in preinst install)"
check_gone "a preinst that failed"
check "unpacking fails" fails "$(variant conflict take_a_file_of_libvirt)"
check_gone "unpacking that failed"

check "it installs" told install_deb "$deb"
check "an upgrade's preinst fails" fails "$(variant preinst-fails fail_in preinst upgrade)"
check_installed "a preinst that failed at an upgrade"
check "an upgrade's unpacking fails" fails "$(variant conflict take_a_file_of_libvirt)"
check_installed "unpacking that failed at an upgrade"

# The postrm of the version that goes fails, and the new one's is asked.
check "a version with a bad postrm is installed" told install_deb "$(variant old-fails fail_in postrm upgrade)"
check "it is upgraded all the same" told install_deb "$(variant over-old-fails)"
check_installed "upgraded over a bad postrm"

unconfigured=yes
check "a postinst fails" fails "$(variant postinst-fails fail_in postinst configure)"
unconfigured=
check "a postinst that failed: libvirtd starts" libvirtd_starts
check "a postinst that failed: by our module" served_by abi-
check "the next version mends it" told install_deb "$(variant zz-mended)"
check_installed "mended"

check "it is removed" told apt remove sf-gluster
check "where it was removed its preinst fails" fails "$(variant preinst-fails fail_in preinst install)"
check_gone "a preinst that failed after a removal"
check "it is purged" told apt purge sf-gluster
check_gone "purged"
