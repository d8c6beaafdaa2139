# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# Gluster volumes and the directories or small file systems their bricks are on.

# A brick's directory. It has the same path on the node and outside; a brick with
# a file system of its own is mounted on the node only.
brick_path() {  # NODE VOLUME INDEX
    printf '%s/node%s/bricks/%s-%s' "${brick_dir:-$data}" "$1" "$2" "$3"
}

# Gluster keeps what it knows of a file in trusted.* attributes, which not every
# file system has.
has_trusted_attributes() {
    local probe=$1/.trusted-attributes
    : > "$probe"
    if setfattr -n trusted.sf-gluster-lab -v 1 "$probe" 2>/dev/null; then rm "$probe"; else rm "$probe"; return 1; fi
}

# The file system of a brick that has one of its own. Its journal is written when somebody asks for it,
# not every five seconds: what nobody asked for is sure to be lost in a power cut.
mount_brick() {  # NODE PATH
    # mount frees the loop device by itself when the mount goes
    on "node$1" mount -o loop,commit=300 "$2.img" "$2"
}

make_brick() {  # NODE VOLUME INDEX SIZE
    local node=$1 size=$4 path image
    path=$(brick_path "$1" "$2" "$3")
    mkdir -p "$path"
    if [ -z "$size" ]; then
        has_trusted_attributes "$path" && return
        size=20G    # sparse
        say "no trusted attributes in $path: the brick gets a file system of its own"
    fi
    image=$path.img
    run truncate --size "$size" "$image"
    run mkfs.ext4 -q -m 0 -E lazy_itable_init=1,nodiscard "$image"
    mount_brick "$node" "$path"
    ask "node$node" rmdir "$path/lost+found"
    mkdir -p "$path"
}

volume_status() { gluster_on "$1" volume status "$2" --xml; }

# Every process of the volume is online, and there are as many bricks as there should be.
volume_is_online() {  # NODE VOLUME BRICKS
    local xml
    xml=$(volume_status "$1" "$2") || return 1
    [ "$(grep -c '<status>1</status>' <<<"$xml")" -ge "$3" ] && ! grep -q '<status>0</status>' <<<"$xml"
}

# The bricks that this node has of a volume answer.
own_bricks_online() {  # NODE VOLUME
    local address out
    address=$(node_address "$1")
    out=$(volume_status "$1" "$2") || return 1
    ! awk -v a="<hostname>$address</hostname>" '
        index($0, a) { mine = 1 } /<hostname>/ && !index($0, a) { mine = 0 }
        mine && /<status>0<\/status>/ { bad = 1 } END { exit !bad }' <<<"$out"
}

volumes_on() {  # NODE STATUS: names of the volumes in that state
    gluster_on "$1" volume info 2>/dev/null |
        awk -v want="$2" '/^Volume Name: /{ v = $3 } /^Status: / && $2 == want { print v }'
}

make_volume() {  # VOLUME LAYOUT BRICKS-PER-NODE SIZE [KEY VALUE]...; LAYOUT: no, yes or gluster's words
    local v=$1 layout=$2 per_node=$3 size=$4 i n brick_list=() kind=() uid gid
    shift 4
    say "== gluster volume $v"
    for ((i = 1; i <= per_node; i++)); do
        for ((n = 1; n <= nodes; n++)); do
            make_brick "$n" "$v" "$i" "$size"
            # gluster wants a directory below a mount point, so that a brick whose
            # disk is not mounted is noticed
            brick_list+=("$(node_address "$n"):$(brick_path "$n" "$v" "$i")/brick")
        done
    done
    case $layout in
        no)  ;;
        yes) kind=(replica "$nodes") ;;
        *)   read -ra kind <<<"$layout" ;;
    esac
    # force: the bricks may be on the root file system
    tell_gluster 1 volume create "$v" "${kind[@]}" "${brick_list[@]}" force
    # qemu runs as this user, from unprivileged ports; its group is kvm up to Debian 13
    if uid=$(id -u libvirt-qemu 2>/dev/null) && gid=$(id -g libvirt-qemu); then
        set -- storage.owner-uid "$uid" storage.owner-gid "$gid" "$@"
    fi
    tell_gluster 1 volume set "$v" server.allow-insecure on "$@"
    tell_gluster 1 volume start "$v"
    wait_for 60 "the bricks of $v" volume_is_online 1 "$v" ${#brick_list[@]}
}

delete_volume() {
    local v=$1 n
    gluster_on 1 volume stop "$v" force >/dev/null 2>&1 || true
    tell_gluster 1 volume delete "$v"
    for ((n = 1; n <= nodes; n++)); do
        local path
        for path in "${brick_dir:-$data}/node$n/bricks/$v"-[0-9]*; do
            [ -d "$path" ] || continue
            if ask "node$n" mountpoint -q "$path"; then ask "node$n" umount --lazy "$path"; fi
            rm -rf --one-file-system "$path" "$path.img"
        done
    done
}

lab_volume() {
    need_lab "${1:-}"
    shift
    local v='' layout=no per_node=1 size='' options=() delete=no
    while [ $# -gt 0 ]; do
        case $1 in
            --delete)     delete=yes ;;
            --replica)    layout=yes ;;
            --layout)     layout=$2; shift ;;
            --bricks)     per_node=$2; shift ;;
            --brick-size) size=$2; shift ;;
            -*)           fail "volume: what is $1?" ;;
            *=*)          options+=("${1%%=*}" "${1#*=}") ;;
            *)            v=$1 ;;
        esac
        shift
    done
    [ -n "$v" ] || fail "volume: which one?"
    [ "$layout" != yes ] || [ "$nodes" -gt 1 ] || fail "--replica needs a lab with three nodes"
    lock_lab
    if [ "$delete" = yes ]; then delete_volume "$v"; return; fi
    make_volume "$v" "$layout" "$per_node" "$size" "${options[@]}"
}
