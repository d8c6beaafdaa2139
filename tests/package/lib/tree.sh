# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# A tree to be changed: an overlay on the clean one, seen in this mount namespace only.

root=

new_tree() {  # NAME
    local dir=$work/$1
    leave_tree
    mkdir -p "$dir"/{changes,overlay,root}
    mount -t overlay overlay -o "lowerdir=$base,upperdir=$dir/changes,workdir=$dir/overlay" "$dir/root"
    root=$dir/root
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mkdir "$root/run/lock" "$root/tmp/.outside"
    say "== $1"
}

leave_tree() {
    [ -n "$root" ] || return 0
    stop_libvirtd
    umount --recursive --lazy "$root"
    root=
}

# With the tree as the root of a mount namespace, not by chroot: libvirtd enters the namespaces of its
# guests, which leads out of a chroot.
in_tree() {
    # shellcheck disable=SC2016
    unshare --mount --propagation private sh -c '
        cd "$1" && shift && pivot_root . tmp/.outside && umount -l /tmp/.outside && exec "$@"' \
        sh "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

# apt without a network: what the package needs was fetched with the tree.
apt() { in_tree apt-get -q -y "$@"; }

install_deb() {  # FILE [OPTION...]
    local file=$1
    shift
    cp "$file" "$root/tmp/${file##*/}"
    apt "$@" install "/tmp/${file##*/}"
}

# All files but those that installing anything changes.
files_of_tree() {
    ( cd "$root" && find . -xdev \( -path ./tmp -o -path ./run -o -path ./proc -o -path ./dev \
        -o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/log -o -path ./var/cache \
        -o -path ./var/lib/libvirt -o -path ./etc/libvirt/storage \) -prune -o -printf '%y %m %u:%g %p\n' ) | LC_ALL=C sort
}
