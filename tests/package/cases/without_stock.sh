# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# libvirt's gluster modules are in a package of their own, which may come later, and go.

new_tree without-stock
gluster=libvirt-daemon-driver-storage-gluster
gluster_deb=$(cd "$root/var/cache/apt/archives" && printf '%s\n' "$gluster"_*.deb)
check "libvirt's gluster modules are removed" told apt remove "$gluster"

check "it installs" told install_deb "$deb" --no-install-recommends
check "without stock modules: libvirtd starts" libvirtd_starts
check "without stock modules: by our module" served_by abi-
check "without stock modules: dpkg --verify" dpkg_verifies
mkdir "$root/aside"
mv "$root$libdir"/sf-gluster/abi-* "$root/aside/"
check "without any module: libvirtd starts" libvirtd_starts
check "without any module: no gluster pools" gluster_pools no
mv "$root"/aside/* "$root$libdir/sf-gluster/"
rmdir "$root/aside"

check "libvirt's come later" told in_tree dpkg --install "/var/cache/apt/archives/$gluster_deb"
check_installed "libvirt's came later"
check "libvirt's are unpacked again" told in_tree dpkg --install "/var/cache/apt/archives/$gluster_deb"
check_installed "libvirt's were unpacked again"
check "it is removed" told apt remove sf-gluster
check_gone "removed"

check "it installs" told install_deb "$deb"
check "libvirt's go" told apt remove "$gluster"
check "libvirt's went: libvirtd starts" libvirtd_starts
check "libvirt's went: by our module" served_by abi-
check "it is purged" told apt purge sf-gluster
check "purged: libvirtd starts" libvirtd_starts
check "purged: no gluster pools" gluster_pools no
check "purged: no folder of ours" test ! -e "$root$libdir/sf-gluster"
