# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# The lab's network, the same in every lab, since each has its own namespaces:
#
#   10.77.0.1 ...    gluster nodes           names node1 ...
#   10.77.0.101 ...  libvirt hosts           names host1 ...
#   10.77.0.200      silent: what is sent there vanishes
#   10.77.0.201      refusing: it is there, and nobody listens
#
# With one node everything is on the loopback interface of one namespace (gluster
# refuses 127.0.0.1, hence the addresses). With three, each node is plugged into a
# bridge in the hosts' namespace. With --apart so is each host but the first.

node_address() { printf '10.77.0.%s' "$1"; }
host_address() { printf '10.77.0.%s' $((100 + $1)); }

make_network() {
    local ns i
    ns=$(netns_of_hosts)
    run ip netns add "$ns"
    run ip -n "$ns" link set lo up
    for ((i = 1; i <= hosts; i++)); do
        [ "$(netns_of_host "$i")" != "$ns" ] || run ip -n "$ns" address add "$(host_address "$i")/32" dev lo
    done
    ip -n "$ns" address add 10.77.0.201/32 dev lo
    # A neighbour that is said to be there, on a cable on which nobody has that address.
    ip -n "$ns" link add name silent0 type veth peer name silent1
    ip -n "$ns" link set silent0 up
    ip -n "$ns" link set silent1 up
    ip -n "$ns" route add 10.77.0.200/32 dev silent0
    ip -n "$ns" neighbour add 10.77.0.200 lladdr 02:00:00:00:02:00 dev silent0 nud permanent

    if [ "$nodes" -eq 1 ]; then
        run ip -n "$ns" address add "$(node_address 1)/32" dev lo
        [ "$apart" = yes ] || return 0
    fi
    run ip -n "$ns" link add name gluster0 type bridge
    run ip -n "$ns" address add 10.77.0.100/24 dev gluster0
    run ip -n "$ns" link set gluster0 up
    if [ "$nodes" -gt 1 ]; then
        for ((i = 1; i <= nodes; i++)); do plug "node$i" "$(netns_of_node "$i")" "$(node_address "$i")"; done
    fi
    if [ "$apart" = yes ]; then
        for ((i = 2; i <= hosts; i++)); do plug "host$i" "$(netns_of_host "$i")" "$(host_address "$i")"; done
    fi
}

plug() {  # WHO NETNS ADDRESS
    local who=$1 own=$2 address=$3 ns
    ns=$(netns_of_hosts)
    run ip netns add "$own"
    run ip -n "$ns" link add name "$who" type veth peer name eth0 netns "$own"
    ip -n "$ns" link set "$who" master gluster0 up
    ip -n "$own" link set lo up
    run ip -n "$own" address add "$address/24" dev eth0
    ip -n "$own" link set eth0 up
    # to the hosts' own addresses, which are beside the bridge
    ip -n "$own" route add default via 10.77.0.100
    # silent from here too: nobody on the bridge has that address
    ip -n "$own" neighbour add 10.77.0.200 lladdr 02:00:00:00:02:00 dev eth0 nud permanent
}

hosts_file() {
    local i
    printf '127.0.0.1 localhost\n::1 localhost\n'
    for ((i = 1; i <= nodes; i++)); do printf '%s node%s\n' "$(node_address "$i")" "$i"; done
    for ((i = 1; i <= hosts; i++)); do printf '%s host%s\n' "$(host_address "$i")" "$i"; done
    printf '10.77.0.200 silent\n10.77.0.201 refusing\n'
}
