# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# An installation from source, as the README has it, is taken over.

new_tree from-source
mkdir -p "$root$libdir/sf-gluster/stock"
for kind in backend file; do
    in_tree dpkg-divert --rename --divert "$(stock "$kind")" "$(module "$kind")" >/dev/null 2>&1
done
dpkg-deb --extract "$deb" "$root"
check "from source: libvirtd starts" libvirtd_starts
check "from source: by our module" served_by abi-
check "the package installs over it" told install_deb "$deb"
check_installed "taken over"
check "it is purged" told apt purge sf-gluster
check_gone "purged"
