# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# The tree's libvirtd, for as long as it takes to say which modules it has.

libvirtd_pid=

stop_libvirtd() {
    [ -n "$libvirtd_pid" ] || return 0
    kill "$libvirtd_pid" 2>/dev/null || true
    wait "$libvirtd_pid" 2>/dev/null || true
    libvirtd_pid=
}

# Starts it, asks it about pools, ends it. What it said is in $work/libvirtd.stderr then.
libvirtd_starts() {
    local try
    rm -rf "$root/run/libvirt" "$root/run/libvirtd.pid"
    in_tree /usr/sbin/libvirtd >"$work/libvirtd.stderr" 2>&1 &
    libvirtd_pid=$!
    for ((try = 0; try < 100; try++)); do
        kill -0 "$libvirtd_pid" 2>/dev/null || break
        if in_tree virsh -q -c storage:///system pool-capabilities >"$work/capabilities" 2>/dev/null; then
            stop_libvirtd
            grep -q "<pool type='dir' supported='yes'>" "$work/capabilities"
            return
        fi
        sleep 0.1
    done
    stop_libvirtd
    sed 's/^/    /' "$work/libvirtd.stderr" >&2
    return 1
}

gluster_pools() {  # yes|no: as its answer about pools has it
    grep -q "<pool type='gluster' supported='$1'>" "$work/capabilities"
}

served_by() {  # WORDS: what the loader told
    grep -q "^sf-gluster: gluster pools are served by $1" "$work/libvirtd.stderr"
}

said_nothing() { ! grep -q '^sf-gluster' "$work/libvirtd.stderr"; }
