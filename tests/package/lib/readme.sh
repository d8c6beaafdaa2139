# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# What README tells a reader to type, typed in the tree: its blocks that begin with "```sh NAME".

readme_block() {  # NAME
    awk -v name="$1" '
        $0 == "```sh " name { inside = 1; next }
        inside && /^```/ { exit }
        inside' "$top/README.md"
}

# Types the block in the reader's folder, and stops where a command fails. There is no kvm in the
# tree, which README leaves to the reader.
typed() {  # NAME
    local block
    block=$(readme_block "$1" | sed 's/--type kvm/--type qemu/')
    [ -n "$block" ] || { echo "README has no block '$1'"; return 1; }
    in_tree PATH=/tmp/reader/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -euxc "cd /tmp/reader; $block"
}

# A folder with what the reader has: the package, an image, sudo, and a systemctl that starts the
# daemons as the units do, since no systemd runs in the tree.
make_reader() {
    local bin=$root/tmp/reader/bin
    mkdir -p "$bin"
    cp "$deb" "$root/tmp/reader/"
    printf '#!/bin/sh\nDEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND\nexec "$@"\n' > "$bin/sudo"
    printf '#!/bin/sh\nexec /usr/bin/apt -y "$@"\n' > "$bin/apt"
    cat > "$bin/systemctl" <<'END'
#!/bin/sh
set -eu
pid_of() { cat "/run/$1.pid" 2>/dev/null || true; }
stop() {
    pid=$(pid_of "$1")
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    tries=600
    while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { echo "$1 does not end" >&2; exit 1; }
        sleep 0.1
    done
}
start() {
    case $1 in
        glusterd) glusterd --pid-file=/run/glusterd.pid ;;
        *) "$1" --daemon </dev/null >/dev/null 2>&1 ;;
    esac
}
case $1 in
    start) start "$2" ;;
    restart) stop "$2"; start "$2" ;;
    stop) stop "$2" ;;
    *) echo "systemctl here has no $1" >&2; exit 1 ;;
esac
END
    chmod 755 "$bin"/*
}

systemctl() { in_tree /tmp/reader/bin/systemctl "$@"; }

# An image that boots and says so on the serial line, again and again: BIOS loads its first sector to
# 7c00h and jumps there.
boot_image() {  # FILE
    local raw=$work/boot.raw
    {
        printf '\x31\xc0\x8e\xd8\xfc\xba\xf8\x03'    # xor ax,ax; mov ds,ax; cld; mov dx,3f8h
        printf '\xbe\x13\x7c'                        # again: mov si,text
        printf '\xac\x84\xc0\x74\xf8\xee\xeb\xf8'    # next: lodsb; test al,al; jz again; out dx,al; jmp next
        printf 'sf-gluster: booted\r\n\0'            # text
    } > "$raw"
    truncate --size 510 "$raw"
    printf '\x55\xaa' >> "$raw"
    truncate --size 16M "$raw"
    cp "$raw" "$root/tmp/reader/boot.raw"
    in_tree qemu-img convert -O qcow2 /tmp/reader/boot.raw "$1"
}

guest_booted() {  # NAME
    local line
    line=$(in_tree virsh ttyconsole "$1") && timeout 60 grep -q -a -m 1 'sf-gluster: booted' "$root$line"
}
