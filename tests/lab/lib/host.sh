# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# Libvirt hosts: a view of this machine in which all that libvirt and gluster's
# clients read, write and remember is the lab's, so that the machine's own libvirt
# is neither used nor disturbed. /tmp and the rest of the file system are shared.

make_host() {  # H
    local who=host$1 dir=$data/host$1 etc=$state/host$1/etc
    say "== libvirt host $1 ($(host_address "$1"))"
    mkdir -p "$etc" "$state/$who/libvirt" "$dir"/{lib,cache,log,gluster-log,srv,apparmor}
    mkdir -m 711 "$dir/lib/images" "$dir/lib/boot"
    write_libvirt_configuration "$1" "$etc"
    make_holder "$who" "$(netns_of_host "$1")"
    ask "$who" "$lab_command" inside-host "$name" "$1"
}

write_libvirt_configuration() {  # H ETC
    # Debian's qemu.conf sets nothing, it is comments throughout. So nothing is
    # set here either: guests run as libvirt-qemu, ownership of disks is changed
    # and remembered, each qemu gets a mount namespace, virtlogd keeps its output.
    printf '# Nothing: all as libvirt is built, which is what Debian ships.\n' > "$2/qemu.conf"
    : > "$2/virtlogd.conf"
    printf 'uri_default = "qemu:///system"\n' > "$2/libvirt.conf"
    cat > "$2/libvirtd.conf" <<END
# There is no polkit in the lab to ask; only root may come.
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_ro_perms = "0700"
unix_sock_rw_perms = "0700"
# Hosts of one machine must differ, or libvirt would not migrate between them.
host_uuid = "$(printf '5f610577-0000-4000-8000-%012d' "$1")"
END
}

# Runs inside the host's namespaces.
lab_inside_host() {
    use_lab "$1"
    load_settings
    local dir=$data/host$2
    private_run
    private_sys
    # Seen from outside as well, so that its sockets can be reached from anywhere.
    mkdir /run/libvirt
    instead_of /run/libvirt "$state/host$2/libvirt"
    instead_of /etc/libvirt "$state/host$2/etc"
    instead_of /var/lib/libvirt "$dir/lib"
    instead_of /var/cache/libvirt "$dir/cache"
    instead_of /var/log/libvirt "$dir/log"
    instead_of /var/log/glusterfs "$dir/gluster-log"
    instead_of /etc/hosts "$state/hosts"
    # Mount points and local image caches go to /srv, unless this very project is there.
    case $lab_dir in
        /srv/*) ;;
        *) instead_of /srv "$dir/srv" ;;
    esac
    # virt-aa-helper writes the guests' profiles there
    [ ! -d /etc/apparmor.d/libvirt ] || instead_of /etc/apparmor.d/libvirt "$dir/apparmor"
    private_dev "$dir/dev"
    hostname "host$2"
}

# A /dev without KVM: guests are emulated, the same on every machine. (Where root
# may open /dev/kvm and qemu's user may not, libvirt would also ask qemu for its
# capabilities anew, for seconds, at every step.) It cannot just be covered: libvirt
# carries mounts in /dev over into each guest's own.
private_dev() {  # DIR
    local sub
    mkdir "$1"
    mount -t tmpfs -o mode=755,size=4m tmpfs "$1"
    cp --archive --one-file-system /dev/. "$1/"
    rm -f "$1/kvm"
    # shm, pts and the like are file systems of their own; mounts on single
    # devices, such as a container's, came along as what they cover
    awk '$5 ~ "^/dev/[^/]+$" { print $5 }' /proc/self/mountinfo | sort -u | while read -r sub; do
        [ ! -d "$sub" ] || mount --rbind "$sub" "$1/${sub#/dev/}"
    done
    # libvirt goes by the list of mounts: no second, hidden /dev may be in it
    umount --recursive --lazy /dev
    mount --move "$1" /dev
}

libvirt_uri() {  # H
    printf 'qemu+unix:///system?socket=%s/host%s/libvirt/libvirt-sock' "$state" "$1"
}

# --host H or --node N at the head of the arguments: sets $who and $shifted.
where_option() {
    who=host1
    shifted=0
    case ${1:-} in
        --host) who=host${2:?}; shifted=2 ;;
        --node) who=node${2:?}; shifted=2 ;;
    esac
    [ -d "$state/$who" ] || fail "lab '$name' has no $who"
}

lab_exec() {
    need_lab "${1:-}"
    shift
    local who shifted
    where_option "$@"
    shift "$shifted"
    [ "${1:-}" != -- ] || shift
    [ $# -gt 0 ] || fail "exec: what?"
    export SF_GLUSTER_LAB=$name SF_GLUSTER_LAB_WHO=$who
    exec_in "$who" "$@"
}

lab_shell() {
    need_lab "${1:-}"
    shift
    local who shifted
    where_option "$@"
    printf 'in lab %s, %s. Leave with exit.\n' "$name" "$who" >&2
    export SF_GLUSTER_LAB=$name SF_GLUSTER_LAB_WHO=$who
    exec_in "$who" "${SHELL:-/bin/bash}"
}

lab_uri() {
    need_lab "${1:-}"
    shift
    local who shifted
    where_option "$@"
    printf '%s\n' "$(libvirt_uri "${who#host}")"
}

lab_paths() {
    need_lab "${1:-}"
    shift
    local who shifted h n i
    where_option "$@"
    h=${who#host}
    show() { printf '%s=%q\n' "$1" "$2"; }
    show STATE "$state"
    show DATA "$data"
    show VOLUME "$volume"
    show GLUSTER_HOST "$(node_address 1)"
    show GLUSTER_HOSTS "$(for ((n = 1; n <= nodes; n++)); do printf '%s ' "$(node_address "$n")"; done)"
    show SILENT_HOST 10.77.0.200
    show REFUSING_HOST 10.77.0.201
    for ((n = 1; n <= nodes; n++)); do
        show "NODE${n}_LOG" "$data/node$n/log"
        for ((i = 1; i <= bricks; i++)); do
            [ -z "$volume" ] || show "NODE${n}_BRICK$i" "$(brick_path "$n" "$volume" "$i")/brick"
        done
    done
    show LIBVIRT_URI "$(libvirt_uri "$h")"
    show LIBVIRTD_LOG "$data/$who/log/libvirtd.log"
    show LIBVIRTD_STDERR "$data/$who/log/libvirtd.stderr"
    show LIBVIRTD_EXIT "$state/$who/libvirtd.exit"
    show LIBVIRTD_PID "$(libvirtd_process "$h" || true)"
    show QEMU_LOGS "$data/$who/log/qemu"
    show LIBVIRT_ETC "$state/$who/etc"
    show CLIENT_LOGS "$data/$who/gluster-log"
    show BACKENDS "$state/$who/modules-backend"
}
