# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
#
# A whole lab: made, found again, taken down.

lab_up() {
    talk_by_default
    use_lab "${1:-}"
    shift
    nodes=1 hosts=1 apart=no volume=shakenfist replica=no bricks=1 brick_size='' brick_dir=''
    local fresh=no
    while [ $# -gt 0 ]; do
        case $1 in
            --nodes)      nodes=$2; shift ;;
            --hosts)      hosts=$2; shift ;;
            --apart)      apart=yes ;;
            --volume)     volume=$2; shift ;;
            --no-volume)  volume='' ;;
            --replica)    replica=yes ;;
            --bricks)     bricks=$2; shift ;;
            --brick-size) brick_size=$2; shift ;;
            --brick-dir)  brick_dir=$2; shift ;;
            --fresh)      fresh=yes ;;
            *)            fail "up: what is $1?" ;;
        esac
        shift
    done
    [ "$replica" = no ] || [ "$nodes" -gt 1 ] || fail "--replica needs --nodes 3"
    case $nodes$hosts$bricks in *[!0-9]*) fail "--nodes, --hosts and --bricks take numbers" ;; esac
    [ "$apart" = no ] || [ "$hosts" -gt 1 ] || fail "--apart needs --hosts 2 or more"
    need_programs
    lock_lab
    if [ "$fresh" = no ] && same_lab_is_up; then
        say "lab '$name' is up"
        return
    fi
    if [ -d "$state" ] || [ -d "$data" ] || [ -n "$(existing_netns)" ]; then
        say "== removing what is there of lab '$name'"
        ( take_down )    # by its settings, which must not become the new lab's
    fi

    # Whatever stops us, nothing half-made stays.
    trap give_up EXIT
    trap 'exit 130' INT TERM HUP
    mkdir -p "$state" "$data_root"
    mkdir -m 700 "$data"
    [ -z "$brick_dir" ] || brick_dir=$(mkdir -p "$brick_dir" && cd "$brick_dir" && pwd)/sf-gluster-lab-$name
    save_settings
    hosts_file > "$state/hosts"
    say "== network"
    make_network
    make_nodes
    [ -z "$volume" ] || make_volume "$volume" "$replica" "$bricks" "$brick_size"
    local h
    for ((h = 1; h <= hosts; h++)); do make_host "$h"; done
    touch "$state/complete"
    trap - EXIT INT TERM HUP
    say "lab '$name' is up: $lab_command shell $name"
}

need_programs() {
    local program missing=()
    for program in glusterd gluster ip nsenter unshare setfattr mkfs.ext4 find flock; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    [ "$hosts" -eq 0 ] || command -v libvirtd virsh >/dev/null || missing+=(libvirtd virsh)
    [ ${#missing[@]} -eq 0 ] || fail "missing: ${missing[*]} (packaging/install-deps --lab)"
}

# Up, whole, of the same make, and answering. In a subshell, as it loads that lab's settings.
same_lab_is_up() (
    local wanted i
    [ -f "$state/complete" ] && lab_exists || return 1
    wanted=$(for i in nodes hosts apart volume replica bricks brick_size; do printf '%s=%q\n' "$i" "${!i}"; done)
    [ "$wanted" = "$(grep -E '^(nodes|hosts|apart|volume|replica|bricks|brick_size)=' "$state/settings")" ] || return 1
    load_settings
    for ((i = 1; i <= nodes; i++)); do
        holder "node$i" >/dev/null && timeout 20 "$lab_command" gluster "$name" --node "$i" pool list >/dev/null 2>&1 || return 1
    done
    for ((i = 1; i <= hosts; i++)); do holder "host$i" >/dev/null || return 1; done
    [ -z "$volume" ] || volume_is_online 1 "$volume" $((nodes * bricks))
)

give_up() {
    local status=$?
    trap '' INT TERM HUP
    warn "lab '$name' was not made; taking down what there is"
    if [ -n "${SF_GLUSTER_LAB_KEEP_LOGS:-}" ]; then
        mkdir -p "$SF_GLUSTER_LAB_KEEP_LOGS"
        cp -r "$data"/*/log "$SF_GLUSTER_LAB_KEEP_LOGS/" 2>/dev/null || true
    fi
    take_down
    exit "$status"
}

lab_down() {
    talk_by_default
    use_lab "${1:-}"
    if inside_lab; then fail "down: not from inside the lab"; fi
    lock_lab
    if ! [ -d "$state" ] && ! [ -d "$data" ] && [ -z "$(existing_netns)" ]; then
        say "there is no lab '$name'"
        return
    fi
    trap '' INT TERM HUP    # finishing is quicker than any repair
    take_down
    say "lab '$name' is down"
}

# Mounts and loop devices go by themselves, with the last process in the mount
# namespaces they are in.
take_down() {
    local netns
    load_settings 2>/dev/null || true
    kill_everything
    for netns in $(existing_netns); do run ip netns delete "$netns"; done
    remove_made_directories
    case ${brick_dir:-} in
        */sf-gluster-lab-"$name") rm -rf --one-file-system "$brick_dir" ;;
    esac
    rm -rf --one-file-system "$data" "$state"
}
