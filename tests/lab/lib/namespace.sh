# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154  # name, state: see state.sh
#
# Namespaces. A lab has named network namespaces (sfg-NAME-*). Each gluster node
# and each libvirt host in it has a mount and a UTS namespace too, which a sleeping
# process, the holder, keeps alive between calls.
#
# A process belongs to the lab if it is in one of these namespaces, however it was
# started. That is what decides about being ended: a remembered pid alone could
# by then be a stranger's.

netns_of_hosts() { printf 'sfg-%s-hosts' "$name"; }
netns_of_host() {  # the first is where the bridge is, always
    if [ "$apart" = no ] || [ "$1" -eq 1 ]; then netns_of_hosts; else printf 'sfg-%s-host%s' "$name" "$1"; fi
}
netns_of_node() {  # with one node, all is in one network namespace
    if [ "$nodes" -eq 1 ]; then netns_of_hosts; else printf 'sfg-%s-node%s' "$name" "$1"; fi
}

# Every network namespace of the lab there is, whatever its settings said.
existing_netns() {
    local file
    for file in /run/netns/"sfg-$name"-*; do
        # not those of a lab whose name goes on where this one's ends
        [[ ${file#/run/netns/sfg-"$name"-} =~ ^(hosts|host[0-9]+|node[0-9]+)$ && -e $file ]] && basename "$file"
    done
    return 0
}

# --- holders -----------------------------------------------------------------

start_time_of() {  # pid; in ticks since boot, field 22 counted from before the name in ()
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    # shellcheck disable=SC2086  # to be split
    set -- ${stat##*) }
    [ "$1" != Z ] || return 1    # dead, its parent has not noticed yet
    printf '%s' "${20}"
}

record_process() { printf '%s %s\n' "$1" "$(start_time_of "$1")" > "$2"; }   # pid file

# The pid in a file that record_process wrote, if it is still that process.
recorded_process() {
    local pid='' started=''
    [ -f "$1" ] && read -r pid started < "$1" && [ -n "$pid" ] || return 1
    [ "$(start_time_of "$pid")" = "$started" ] || return 1
    printf '%s' "$pid"
}

holder() { recorded_process "$state/$1/holder"; }   # node1, host1...

make_holder() {  # WHO NETNS
    local who=$1 netns=$2 pid
    mkdir -p "$state/$who"
    # shellcheck disable=SC2016  # for the inner shell
    spawn /dev/null nsenter --net="/run/netns/$netns" \
        unshare --mount --propagation private --uts \
        bash -c 'exec -a "$0" sleep infinity' "sf-gluster-lab $name $who"
    pid=$spawned
    wait_for 10 "the namespaces of $who" is_sleeping "$pid" || return 1
    record_process "$pid" "$state/$who/holder"
}

is_sleeping() { [ "$(</proc/"$1"/comm)" = sleep ]; }

# Start something that outlives this call: no terminal, no descriptor of ours but
# 0-2, which go to a file, so that whoever reads our output is not kept waiting.
spawn() {  # FILE COMMAND...; sets $spawned
    local file=$1
    shift
    (
        close_descriptors
        exec setsid "$@" </dev/null >>"$file" 2>&1
    ) &
    spawned=$!
    disown "$spawned"
}

close_descriptors() {
    local fd
    for fd in /proc/"$BASHPID"/fd/*; do
        fd=${fd##*/}
        if [ "$fd" -gt 2 ] && [ "$fd" -ne 255 ]; then eval "exec $fd>&-"; fi
    done
}

# --- running commands in them --------------------------------------------------

# Does not return. Keeps the working directory if it is there inside too.
exec_in() {  # WHO COMMAND...
    local who=$1 pid where=$PWD
    shift
    pid=$(holder "$who") || fail "$who of lab '$name' is gone: lab up $name"
    [ -d "/proc/$pid/root$where" ] || where=/
    close_descriptors
    exec nsenter --target "$pid" --mount --net --uts --wdns="$where" -- "$@"
}

ask() { local who=$1; shift; ( exec_in "$who" "$@" ); }

say_where() {  # WHO COMMAND...
    local who=$1
    shift
    if [ "${verbosity:-0}" -ge 2 ]; then
        say "# nsenter --target $(holder "$who") --mount --net --uts -- $(quoted "$@")"
    else
        say "$who# $(quoted "$@")"
    fi
}

# As ask, saying what is run and where.
on() { say_where "$@"; ask "$@"; }

# on, silent unless it fails
on_quietly() {
    local out
    say_where "$@"
    out=$(ask "$@" 2>&1) || { printf '%s\n' "$out" >&2; return 1; }
}

# --- who is in them ------------------------------------------------------------

in_same_namespace() {  # KIND NS-FILE: pids of all processes in that namespace
    local kind=$1 id
    # the inode number of the file is what the links in /proc show
    id=$(stat -Lc %i "$2" 2>/dev/null) || return 0
    # processes may end while find looks at them
    { find /proc/[0-9]*/ns/"$kind" -maxdepth 0 -lname "$kind:\\[$id\\]" 2>/dev/null || true; } |
        sed -E 's|^/proc/([0-9]+)/.*|\1|'
}

# Processes of one node or host, its holder left out.
processes_of() {
    local pid
    pid=$(holder "$1") || return 0
    in_same_namespace mnt "/proc/$pid/ns/mnt" | grep -vx "$pid" || true
}

signal_all() {  # SIGNAL PIDS...
    local signal=$1
    shift
    [ $# -eq 0 ] || kill -s "$signal" -- "$@" 2>/dev/null || true
}

inside_lab() {  # is this very call made inside the lab?
    local netns own
    own=$(stat -Lc %i /proc/self/ns/net)
    for netns in "$state"/*/holder; do
        netns=$(recorded_process "$netns") || continue
        [ "$(stat -Lc %i "/proc/$netns/ns/net")" != "$own" ] || return 0
    done
    return 1
}

# End every process in the lab's network namespaces.
kill_everything() {
    local netns pids tries
    for tries in {1..100}; do
        pids=$(for netns in $(existing_netns); do in_same_namespace net "/run/netns/$netns"; done)
        [ -n "$pids" ] || return 0
        # shellcheck disable=SC2086  # to be split
        signal_all KILL $pids
        [ "$tries" -lt 5 ] || sleep 0.1
    done
    # shellcheck disable=SC2086
    warn "still there after 10 s:" $pids
    return 1
}

# --- private files ---------------------------------------------------------------

# Give the namespace we are in a /run of its own, in which the labs' state is seen
# all the same: the lab can be called, and sockets reached, from inside too. The
# descriptor keeps hold of the directory while /run is covered.
private_run() {
    exec 8<"$state_root"
    mount -t tmpfs -o mode=755,size=256m tmpfs /run
    mkdir -p "$state_root" /run/lock
    # mount would read the link itself, and find what covers it now
    mount --no-canonicalize --bind /proc/self/fd/8 "$state_root"
    exec 8<&-
}

# Put a directory or file of the lab in the place of the machine's.
instead_of() { mount --bind "$2" "$1"; }   # MACHINE'S OURS

# sysfs shows the network namespace of who mounted it. Control groups go: nobody
# delegated any to us, and libvirtd does without.
private_sys() {
    umount --recursive --lazy /sys
    mount -t sysfs sysfs /sys
}
