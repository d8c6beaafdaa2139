# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# Purged, with the libraries that it brought, it leaves the tree as it was.

new_tree no-trace
check "libvirtd starts, and makes the folders that it wants" libvirtd_starts
files_of_tree > "$work/before"
check "it installs" told install_deb "$deb" --no-install-recommends
check "it is purged" told apt purge --autoremove sf-gluster
check_gone "purged"
files_of_tree > "$work/after"
check "no file is left, or missing" diff -U0 "$work/before" "$work/after"
