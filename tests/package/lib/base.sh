# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# A clean Debian tree with libvirt, made once and kept. Who uses it holds a shared lock, as another clone
# may want another one.

cache=${SF_GLUSTER_TREES:-/var/cache/sf-gluster/trees}/$suite
base=$cache/clean

# In the tree from the start.
base_packages=(
    libvirt-daemon-system libvirt-clients libvirt-daemon-driver-storage-gluster libvirt-daemon-driver-qemu
    apparmor systemd
)
# What a host with guests on gluster has besides.
host_packages=(
    glusterfs-server qemu-system-x86 qemu-block-extra qemu-utils
)
# What the package depends on and recommends, with what those recommend. These and the host's are
# fetched only: it is apt that is to find out what is needed, without a network.
wanted_packages=(
    glusterfs-client qemu-utils libpugixml-dev
)
# What a complete tree has.
base_mark="4 ${base_packages[*]} ${host_packages[*]} ${wanted_packages[*]}"

in_base() {
    chroot "$base.new" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

base_is_complete() { [ "$(cat "$base/.complete" 2>/dev/null)" = "$base_mark" ]; }

make_base() {
    say "making a tree of Debian $suite with libvirt in $base, once"
    rm -rf --one-file-system "$base.new"
    "$top/tests/distribution/make-tree" "$suite" "$base.new"
    # No daemon is started by installing.
    printf '#!/bin/sh\nexit 101\n' > "$base.new/usr/sbin/policy-rc.d"
    chmod 755 "$base.new/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$base.new/etc/"
    {
        in_base apt-get -q -o Acquire::Retries=3 update &&
            in_base apt-get -q -y -o Acquire::Retries=3 --no-install-recommends install "${base_packages[@]}" &&
            in_base apt-get -q -y -o Acquire::Retries=3 --no-install-recommends --download-only install "${host_packages[@]}" &&
            in_base apt-get -q -y -o Acquire::Retries=3 --download-only install "${wanted_packages[@]}"
    } >"$cache/apt.log" 2>&1 || fail "apt could not fill the tree: $cache/apt.log"
    printf '%s\n' "$base_mark" > "$base.new/.complete"
    rm -rf --one-file-system "$base"
    mv -T "$base.new" "$base"
}

build_base() {
    mkdir -p "$cache"
    exec 8> "$cache/.lock-clean"
    flock --shared 8
    until base_is_complete; do
        flock 8
        base_is_complete || make_base
        flock --shared 8    # which may let another in between
    done
}
