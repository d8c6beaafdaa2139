# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# Other packages made from the one that is tried: newer ones, and such that fail.

variant() {  # NAME [COMMAND...]: the command runs in the unpacked package; prints the file's name
    local dir=$work/debs/$1 version
    version=$(dpkg-deb -f "$deb" Version)+$1
    shift
    rm -rf "$dir"
    mkdir -p "$work/debs"
    dpkg-deb --raw-extract "$deb" "$dir"
    sed -i "s/^Version: .*/Version: $version/" "$dir/DEBIAN/control"
    [ $# -eq 0 ] || ( cd "$dir" && "$@" ) >&2
    dpkg-deb --root-owner-group --build "$dir" "$dir.deb" >/dev/null
    printf '%s\n' "$dir.deb"
}

# In an unpacked package: a script of it that fails after all it does, when called with WORD.
fail_in() {  # SCRIPT WORD
    # shellcheck disable=SC2016
    printf '\n[ "$1" != %s ] || { echo "failing on purpose" >&2; exit 1; }\n' "$2" >> "DEBIAN/$1"
}

# In an unpacked package: a file of another package, so that unpacking fails.
take_a_file_of_libvirt() {
    mkdir -p usr/bin
    echo nothing > usr/bin/virsh
}
