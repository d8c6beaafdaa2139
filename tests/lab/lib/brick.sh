# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# One brick of a volume: a glusterfsd of its own, since bricks are not multiplexed here.

# As gluster counts them: HOST:PATH.
brick_name() {  # VOLUME INDEX
    gluster_on 1 volume info "$1" | sed -n "s/^Brick$2: \([^ ]*\).*/\1/p"
}

node_of_address() {  # ADDRESS
    local n
    for ((n = 1; n <= nodes; n++)); do
        [ "$(node_address "$n")" != "$1" ] || { printf '%s' "$n"; return; }
    done
    return 1
}

# The pid of the process that serves a brick; nothing where there is none.
brick_process() {  # NODE PATH
    local pid
    for pid in $(bricks_of "$1"); do
        # one word for the option, one for its value
        ! tr '\0' '\n' < "/proc/$pid/cmdline" 2>/dev/null | grep -A1 -x -e --brick-name | grep -qxF -e "$2" ||
            { printf '%s' "$pid"; return; }
    done
}

brick_is_gone() { [ -z "$(brick_process "$1" "$2")" ]; }

kill_brick() {  # NODE PATH
    local pid file
    pid=$(brick_process "$1" "$2")
    file=$(tr '\0' '\n' < "/proc/$pid/cmdline" | grep -A1 -x -e -p | tail -n 1)
    signal_all KILL "$pid"
    wait_for 20 "the end of brick $2" brick_is_gone "$1" "$2"
    # as in forget_pids, of this brick alone
    ask "node$1" rm -f "$file"
}

brick_is_online() {  # NODE VOLUME PATH
    volume_status "$1" "$2" | awk -v p="<path>$3</path>" '
        index($0, p) { mine = 1 } /<path>/ && !index($0, p) { mine = 0 }
        mine && /<status>1<\/status>/ { good = 1 } END { exit !good }'
}

lab_brick() {
    need_lab "${1:-}"
    lock_lab
    local v=${2:?which volume?} index=${3:?which brick?} action=${4:-} brick n path pid
    case $index in ''|*[!0-9]*) fail "brick: bricks have numbers, from 1 on" ;; esac
    brick=$(brick_name "$v" "$index")
    [ -n "$brick" ] || fail "volume '$v' of lab '$name' has no brick $index"
    path=${brick#*:}
    n=$(node_of_address "${brick%%:*}") || fail "no node has $brick"
    pid=$(brick_process "$n" "$path")
    case $action in
        kill)
            [ -n "$pid" ] || { say "$brick is down"; return; }
            kill_brick "$n" "$path" ;;
        start)
            [ -z "$pid" ] || { signal_all CONT "$pid"; say "$brick is up"; return; }
            tell_gluster "$n" volume start "$v" force
            wait_for 60 "$brick" brick_is_online "$n" "$v" "$path" ;;
        power-cut)
            # What its file system has not on disk is lost.
            ask "node$n" mountpoint -q "${path%/brick}" ||
                fail "brick: $brick has no file system of its own (--brick-size)"
            on "node$n" xfs_io -x -c shutdown "${path%/brick}"
            [ -z "$pid" ] || kill_brick "$n" "$path"
            on "node$n" umount "${path%/brick}"
            mount_brick "$n" "${path%/brick}" ;;
        pause)  signal_all STOP ${pid:+"$pid"} ;;
        resume) signal_all CONT ${pid:+"$pid"} ;;
        *) fail "brick: kill, start, power-cut, pause or resume?" ;;
    esac
}
