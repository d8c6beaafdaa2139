# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables here are used by the other parts
#
# What is remembered of a lab between two calls.
#
#   /run/sf-gluster-lab/NAME/       settings, who holds which namespace, sockets
#   /var/tmp/sf-gluster-lab/NAME/   what may grow: logs, bricks, images. On a disk,
#                                   because bricks want O_DIRECT and space.

state_root=/run/sf-gluster-lab
data_root=${SF_GLUSTER_LAB_DATA:-/var/tmp/sf-gluster-lab}

# A lab's own variables, kept in its settings file.
setting_names=(boot_id data nodes hosts apart volume replica bricks brick_size brick_dir)

use_lab() {  # NAME; the lab need not exist
    name=${1:?which lab?}
    case $name in
        *[!a-z0-9-]*|-*|'') fail "a lab's name is made of a-z, 0-9 and '-': $name" ;;
    esac
    [ ${#name} -le 32 ] || fail "a lab's name has at most 32 characters"
    state=$state_root/$name
    data=$data_root/$name
}

# A lab of an earlier boot has left only files.
lab_exists() {
    [ -f "$state/settings" ] && grep -qx "boot_id=$(</proc/sys/kernel/random/boot_id)" "$state/settings"
}

load_settings() {
    lab_exists || return 1
    # shellcheck source=/dev/null
    . "$state/settings"
}

need_lab() {  # NAME
    use_lab "$@"
    load_settings || fail "there is no lab '$name': lab up $name"
    [ -f "$state/complete" ] || fail "lab '$name' is not complete (being made, or interrupted): lab up $name"
}

save_settings() {
    local key
    boot_id=$(</proc/sys/kernel/random/boot_id)
    for key in "${setting_names[@]}"; do
        printf '%s=%q\n' "$key" "${!key}"
    done > "$state/settings"
}

# One call at a time changes a lab. Daemons must not inherit descriptor 9, or
# the lock would stay with them: enter_* and spawn close it.
lock_lab() {
    mkdir -p "$state_root"
    chmod 755 "$state_root"
    exec 9>"$state_root/.$name.lock"
    flock -w "${SF_GLUSTER_LAB_LOCK_TIMEOUT:-300}" 9 || fail "lab '$name' is busy with another call"
}

lab_list() {
    local dir
    for dir in "$state_root"/*/; do
        [ -d "$dir" ] || continue
        use_lab "$(basename "$dir")"
        load_settings || continue
        printf '%s: %s gluster node(s), volume %s, %s libvirt host(s)%s\n' "$name" "$nodes" "${volume:-none}" "$hosts" \
            "$([ -f "$state/complete" ] || printf ' (incomplete)')"
    done
}
