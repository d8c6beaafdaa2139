# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# FUSE mounts of the lab's volumes, seen on one host only.

lab_mount() {
    need_lab "${1:-}"
    shift
    local h=1 dir='' v='' options='' backup
    while [ $# -gt 0 ]; do
        case $1 in
            --host) h=$2; shift ;;
            -o)     options=$2; shift ;;
            -*)     fail "mount: what is $1?" ;;
            *)      if [ -z "$dir" ]; then dir=$1; else v=$1; fi ;;
        esac
        shift
    done
    case $dir in
        /*) ;;
        *) fail "mount: where? An absolute path" ;;
    esac
    v=${v:-$volume}
    lock_lab
    if ask "host$h" mountpoint -q "$dir"; then fail "something is mounted on $dir already"; fi
    make_mount_point "$h" "$dir"
    # so that the mount outlives the node it was made from
    backup=$(for ((n = 2; n <= nodes; n++)); do printf ':%s' "$(node_address "$n")"; done)
    [ -z "$backup" ] || options+="${options:+,}backup-volfile-servers=${backup#:}"
    on "host$h" mount -t glusterfs ${options:+-o "$options"} "$(node_address 1):/$v" "$dir"
    ask "host$h" mountpoint -q "$dir" || fail "could not mount $v (logs: $data/host$h/gluster-log)"
}

# Directories made for a mount point outside of what the host has for its own are
# remembered, and removed with the lab.
make_mount_point() {  # H DIR
    local dir=$2
    while [ ! -d "/proc/$(holder "host$1")/root$dir" ]; do
        printf '%s\n' "$dir" >> "$state/made-directories"
        dir=$(dirname "$dir")
    done
    ask "host$1" mkdir -p "$2"
}

remove_made_directories() {
    [ -f "$state/made-directories" ] || return 0
    local dir
    sort -ur "$state/made-directories" | while read -r dir; do rmdir "$dir" 2>/dev/null || true; done
}

lab_umount() {
    need_lab "${1:-}"
    shift
    local h=1
    if [ "${1:-}" = --host ]; then h=$2; shift 2; fi
    on "host$h" umount "${1:?umount: what?}"
}
