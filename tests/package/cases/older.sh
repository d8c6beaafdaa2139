# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# The distribution was upgraded, and libvirt with it, before there was a package of ours for it: the
# one for the release before stays, and has no module for this libvirt. Needs --older.

new_tree older
check "the package for the release before installs" told install_deb "$older"
check "it diverts libvirt's modules" modules_are_ours
for when in "libvirt is newer" "downgraded again"; do
    check "$when: libvirtd starts" libvirtd_starts
    check "$when: by the stock module" served_by "libvirt's stock module"
    check "$when: with gluster pools" gluster_pools yes
    check "$when: the command runs" in_tree sf-gluster --version
    check "$when: the hook can be run" in_tree "$hook" guest stopped end -
    [ "$when" != "downgraded again" ] || break
    check "the package for this release is newer" told install_deb "$deb"
    check_installed "upgraded"
    check "back to the package for the release before" told install_deb "$older" --allow-downgrades
done
check "it is upgraded again" told install_deb "$deb"
check_installed "upgraded again"
check "it is purged" told apt purge sf-gluster
check_gone "purged"
