# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# A clean Debian tree with libvirt, made once and kept: of the release $suite, from this machine's
# archives.

cache=${SF_GLUSTER_PACKAGE_CACHE:-/var/tmp/sf-gluster-package}
base=$cache/$suite

# In the tree from the start.
base_packages=(
    libvirt-daemon-system libvirt-clients libvirt-daemon-driver-storage-gluster
    apparmor systemd
)
# What the package may want, fetched only: it is apt that is to find out, without a network.
fetched_packages=(
    glusterfs-client qemu-utils libpugixml1v5 libgfapi0
)
# What a complete tree has.
base_mark="2 ${base_packages[*]} ${fetched_packages[*]}"

archives() {  # the lines of sources.list
    local own
    own=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    # shellcheck disable=SC2016  # apt's own variables
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(CODENAME) $(COMPONENT)' \
        'Created-By: Packages' |
        awk -v own="$own" -v suite="$suite" '$1 == "Debian" && $5 == "main" &&
            ($4 == own || index($4, own "-") == 1) { sub("^" own, suite, $3); print "deb", $2, $3, "main" }' | sort -u
}

in_base() {
    chroot "$base.new" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

build_base() {
    local lines
    [ "$(cat "$base/.complete" 2>/dev/null)" != "$base_mark" ] || return 0
    command -v debootstrap >/dev/null || fail "debootstrap is missing: packaging/install-deps --all"
    lines=$(archives)
    [ -n "$lines" ] || fail "apt's sources name no archive of Debian $suite"
    say "making a tree of Debian $suite with libvirt in $base, once"
    rm -rf "$base.new"
    mkdir -p "$cache"
    debootstrap --variant=minbase "$suite" "$base.new" \
        "$(awk -v suite="$suite" '$3 == suite { print $2; exit }' <<<"$lines")" >"$cache/debootstrap.log" 2>&1 ||
        fail "debootstrap failed: $cache/debootstrap.log"
    printf '%s\n' "$lines" > "$base.new/etc/apt/sources.list"
    # No daemon is started by installing.
    printf '#!/bin/sh\nexit 101\n' > "$base.new/usr/sbin/policy-rc.d"
    chmod 755 "$base.new/usr/sbin/policy-rc.d"
    {
        in_base apt-get -q update &&
            in_base apt-get -q -y --no-install-recommends install "${base_packages[@]}" &&
            in_base apt-get -q -y --download-only install "${fetched_packages[@]}"
    } >"$cache/apt.log" 2>&1 || fail "apt could not fill the tree: $cache/apt.log"
    printf '%s\n' "$base_mark" > "$base.new/.complete"
    rm -rf "$base"
    mv -T "$base.new" "$base"
}
