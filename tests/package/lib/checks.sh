# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# What is looked at after each step.

passed=0
failed=0
libdir=/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
hook=/etc/libvirt/hooks/qemu.d/50-sf-gluster

check() {  # TEXT COMMAND...
    local text=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        passed=$((passed + 1))
        say "ok      $text"
    else
        failed=$((failed + 1))
        say "FAILED  $text    ($*)"
        sed 's/^/        /' "$work/output" >&2
    fi
}

refuted() { ! "$@"; }
says() { grep -q -- "$1" "$work/said"; }      # what `told` kept
told() { "$@" 2>&1 | tee "$work/said"; }

module() { printf '%s/libvirt/storage-%s/libvirt_storage_%s_gluster.so' "$libdir" "$1" "$1"; }
stock() { printf '%s/sf-gluster/stock/libvirt_storage_%s_gluster.so' "$libdir" "$1"; }
is_loader() { grep -q 'sf-gluster: ' "$root$(module "$1")"; }

# The stock module's file is the one of the clean tree.
is_stock() {  # KIND FILE
    cmp "$base$(module "$1")" "$root$2"
}

modules_are_ours() {
    local kind
    for kind in backend file; do
        is_loader "$kind" && is_stock "$kind" "$(stock "$kind")" || return 1
        [ "$(in_tree dpkg-divert --listpackage "$(module "$kind")")" = sf-gluster ] || return 1
        [ "$(in_tree dpkg-divert --truename "$(module "$kind")")" = "$(stock "$kind")" ] || return 1
    done
}

modules_are_libvirts() {
    local kind
    for kind in backend file; do
        is_stock "$kind" "$(module "$kind")" || return 1
    done
    [ -z "$(in_tree dpkg-divert --list '*gluster*')" ] || return 1
    # An empty folder stays until the purge.
    [ -z "$(find "$root$libdir/sf-gluster" -mindepth 1 2>/dev/null)" ]
}

packages_of_tree() {
    # shellcheck disable=SC2016  # dpkg-query's own variables
    in_tree dpkg-query -W -f '${Package} ${Version} ${Status}\n'
}

dpkg_verifies() {
    local found
    found=$(in_tree dpkg --verify) && [ -z "$found" ] && return
    printf '%s\n' "$found"
    return 1
}

# All is as the package has it, and libvirtd runs by its module.
check_installed() {  # WHEN
    check "$1: the modules are ours, and libvirt's are aside" modules_are_ours
    check "$1: dpkg --verify" dpkg_verifies
    check "$1: libvirtd starts" libvirtd_starts
    check "$1: by our module" served_by abi-
    check "$1: guests' disks too" grep -q '^sf-gluster: gluster disks of guests are served by abi-' "$work/libvirtd.stderr"
    check "$1: with gluster pools" gluster_pools yes
}

# All is as if there had never been a package.
check_gone() {  # WHEN
    check "$1: the modules are libvirt's, byte for byte" modules_are_libvirts
    check "$1: dpkg --verify" dpkg_verifies
    check "$1: libvirtd starts" libvirtd_starts
    check "$1: by its own module" said_nothing
    check "$1: with gluster pools" gluster_pools yes
}
