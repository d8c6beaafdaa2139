# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# Whenever a libvirtd is started while dpkg works, it starts.

new_tree restarts
newer=$(variant newer)

start_again_and_again() {
    local starts=0
    while [ ! -e "$root/tmp/enough" ]; do
        libvirtd_starts || return 1
        starts=$((starts + 1))
    done
    echo "$starts starts"
    [ "$starts" -ge 10 ]
}

(
    work=$work/restarts
    start_again_and_again
) >"$work/starts" 2>&1 &
starter=$!
for _ in 1 2 3; do
    check "it installs" told install_deb "$deb" --no-install-recommends
    check "it is upgraded" told install_deb "$newer" --no-install-recommends
    check "it is purged" told apt purge sf-gluster
done
touch "$root/tmp/enough"
check "each libvirtd meanwhile started" wait "$starter"
say "        $(tail -n 1 "$work/starts")"
check_gone "purged"
