# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# Gluster nodes: a glusterd with its bricks, and what may befall them.

make_node() {  # N
    local who=node$1 dir=$data/node$1
    say "== gluster node $1 ($(node_address "$1"))"
    mkdir -p "$dir/glusterd" "$dir/log/bricks" "$dir/bricks"
    # the option groups (volume set VOL group virt) that the package ships
    [ ! -d /var/lib/glusterd/groups ] || cp -r /var/lib/glusterd/groups "$dir/glusterd/"
    # Clients that are not root, such as qemu, come from unprivileged ports.
    sed '/^end-volume/i\    option rpc-auth-allow-insecure on' /etc/glusterfs/glusterd.vol > "$dir/glusterd.vol"
    make_holder "$who" "$(netns_of_node "$1")"
    ask "$who" "$lab_command" inside-node "$name" "$1"
    start_glusterd "$1"
}

# Runs inside the node's namespaces.
lab_inside_node() {
    use_lab "$1"
    load_settings
    private_run
    private_sys
    instead_of /var/lib/glusterd "$data/node$2/glusterd"
    instead_of /var/log/glusterfs "$data/node$2/log"
    instead_of /etc/glusterfs/glusterd.vol "$data/node$2/glusterd.vol"
    instead_of /etc/hosts "$state/hosts"
    hostname "node$2"
}

# Bound to its own address: in a one-node lab the refusing host lives in the same namespace.
start_glusterd() {
    on "node$1" glusterd --pid-file=/run/glusterd.pid \
        --xlator-option "management.transport.socket.bind-address=$(node_address "$1")"
}

# gluster's command line on a node. It waits for ever for a glusterd that is paused.
gluster_on() {
    local n=$1
    shift
    ask "node$n" timeout 120 gluster --mode=script "$@"
}

tell_gluster() {  # the same, said and silent
    local n=$1
    shift
    on_quietly "node$n" timeout 120 gluster --mode=script "$@"
}

glusterd_answers() { gluster_on "$1" pool list; }

peers_are_in() {  # on node N all others are members and connected
    [ "$(gluster_on "$1" peer status | grep -c '^State: Peer in Cluster (Connected)')" -eq $((nodes - 1)) ]
}

make_nodes() {
    local i
    for ((i = 1; i <= nodes; i++)); do make_node "$i"; done
    for ((i = 1; i <= nodes; i++)); do wait_for 60 "glusterd on node $i" glusterd_answers "$i"; done
    [ "$nodes" -gt 1 ] || return 0
    for ((i = 2; i <= nodes; i++)); do tell_gluster 1 peer probe "$(node_address "$i")"; done
    for ((i = 1; i <= nodes; i++)); do wait_for 60 "the peers of node $i" peers_are_in "$i"; done
}

lab_gluster() {
    need_lab "${1:-}"
    shift
    local n=1
    if [ "${1:-}" = --node ]; then n=$2; shift 2; fi
    [ "${1:-}" != -- ] || shift
    exec_in "node$n" gluster --mode=script "$@"
}

bricks_of() {  # pids of a node's brick processes
    local pid
    for pid in $(processes_of "node$1"); do
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != glusterfsd ] || printf '%s\n' "$pid"
    done
}

node_is_empty()  { [ -z "$(processes_of "node$1")" ]; }
no_bricks_left() { [ -z "$(bricks_of "$1")" ]; }

# glusterd takes a killed brick for running as long as its pid is known to anyone,
# and a slow init lets the dead stand for a second.
forget_pids() { ask "node$1" find "$2" -name '*.pid' -delete 2>/dev/null || true; }   # NODE DIR

start_own_bricks() {  # NODE VOLUME
    own_bricks_online "$1" "$2" && return
    # another node may hold gluster's lock just now, or glusterd not have noticed yet
    gluster_on "$1" volume start "$2" force || true
    sleep 0.2
    own_bricks_online "$1" "$2"
}

# The node's glusterd and those of all other running nodes know of each other.
node_is_joined() {
    local i others=0
    for ((i = 1; i <= nodes; i++)); do
        if [ "$i" -ne "$1" ] && [ -n "$(processes_of "node$i")" ]; then
            others=$((others + 1))
            gluster_on "$i" pool list | grep -qE "[[:space:]](node$1|$(node_address "$1"))[[:space:]]+Connected" || return 1
        fi
    done
    [ "$(gluster_on "$1" pool list | grep -c 'Connected')" -gt "$others" ]
}

lab_node() {
    need_lab "${1:-}"
    lock_lab
    local n=${2:?which node?} action=${3:-} v
    holder "node$n" >/dev/null || fail "lab '$name' has no node $n"
    # shellcheck disable=SC2046  # lists of pids
    case $action in
        stop)
            signal_all KILL $(processes_of "node$n")
            wait_for 20 "the end of node $n" node_is_empty "$n"
            forget_pids "$n" /run ;;
        start)
            node_is_empty "$n" || { say "node $n is running"; return; }
            start_glusterd "$n"
            wait_for 60 "glusterd on node $n" glusterd_answers "$n"
            wait_for 60 "node $n among the others" node_is_joined "$n"
            for v in $(volumes_on "$n" Started); do wait_for 60 "the bricks of $v" own_bricks_online "$n" "$v"; done ;;
        pause)        signal_all STOP $(processes_of "node$n") ;;
        resume)       signal_all CONT $(processes_of "node$n") ;;
        kill-bricks)
            signal_all KILL $(bricks_of "$n")
            wait_for 20 "the end of the bricks" no_bricks_left "$n"
            forget_pids "$n" /run/gluster/vols ;;
        start-bricks)
            for v in $(volumes_on "$n" Started); do
                wait_for 60 "the bricks of $v" start_own_bricks "$n" "$v"
            done ;;
        cut|join)
            [ "$nodes" -gt 1 ] || fail "$action: the only node has no cable; use pause and resume"
            # from inside a lab /run/netns is out of sight, the holders are not
            ask host1 ip link set "node$n" "$([ "$action" = cut ] && echo down || echo up)" ;;
        *) fail "node: stop, start, pause, resume, kill-bricks, start-bricks, cut or join?" ;;
    esac
}
