# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# A virtual machine that runs machine/inside when it has booted, and is off when that has ended.

image=$cache/machine
machine=
reader=

# Besides what the clean tree has.
machine_packages=(
    linux-image-cloud-amd64 initramfs-tools udev iproute2 procps
    "${host_packages[@]}" "${wanted_packages[@]}"
)
image_mark="1 $base_mark ${machine_packages[*]} $(sha256sum < "$here/machine/unit")"

in_machine() {
    chroot "$work/tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

build_machine() {
    local unit
    exec 7> "$cache/.lock-machine"
    flock 7
    [ "$(cat "$image/complete" 2>/dev/null)" != "$image_mark" ] || return 0
    build_base
    say "making the machine's disk in $image, once"
    rm -rf "$image"
    mkdir -p "$image"
    cp --archive "$base" "$work/tree"
    # Its name server may be another one than when the tree was made.
    cp --remove-destination /etc/resolv.conf "$work/tree/etc/resolv.conf"
    {
        in_machine apt-get -q update &&
            in_machine apt-get -q -y --no-install-recommends install "${machine_packages[@]}" &&
            in_machine apt-get -q clean
    } >"$image/apt.log" 2>&1 || fail "apt could not fill the machine: $image/apt.log"
    cp "$here/machine/unit" "$work/tree/etc/systemd/system/sf-gluster-checks.service"
    ln -s ../sf-gluster-checks.service "$work/tree/etc/systemd/system/multi-user.target.wants/"
    # What would only take time.
    for unit in getty@tty1.service serial-getty@ttyS0.service libvirt-guests.service e2scrub_reap.service \
        apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer logrotate.timer; do
        ln -sf /dev/null "$work/tree/etc/systemd/system/$unit"
    done
    rm "$work/tree/usr/sbin/policy-rc.d"
    printf '/dev/vda / ext4 rw 0 0\n' > "$work/tree/etc/fstab"
    printf 'enforced\n' > "$work/tree/etc/hostname"
    printf '127.0.0.1 localhost enforced\n' > "$work/tree/etc/hosts"
    cp --dereference "$work/tree/vmlinuz" "$work/tree/initrd.img" "$image/"
    truncate --size 4G "$image/disk"
    mkfs.ext4 -q -m 0 -O ^has_journal -d "$work/tree" "$image/disk"
    rm -rf --one-file-system "$work/tree"
    printf '%s\n' "$image_mark" > "$image/complete"
}

# Its second serial line is what machine/inside says.
start_machine() {  # DEB
    mkdir "$work/kit"
    cp "$here/machine/inside" "$1" "$work/kit/"
    truncate --size 32M "$work/kit.img"
    mkfs.ext4 -q -d "$work/kit" "$work/kit.img"
    : > "$work/said"
    # Without KVM: it is to run on every machine, also on one that is virtual itself.
    TMPDIR=$work setpriv --pdeathsig KILL nice timeout --kill-after 10 3600 \
        setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg,thread=multi -machine q35 -cpu max -smp 2 -m 2048 \
        -nodefaults -display none -nic none -no-reboot \
        -drive "file=$image/disk,format=raw,if=virtio,snapshot=on" \
        -drive "file=$work/kit.img,format=raw,if=virtio,readonly=on" \
        -serial "file:$work/console" -serial "file:$work/said" \
        -kernel "$image/vmlinuz" -initrd "$image/initrd.img" \
        -append "root=/dev/vda rw console=ttyS0 quiet apparmor=1 security=apparmor log_buf_len=16M" \
        <&- &
    machine=$!
    say "the machine of Debian $suite runs as process $machine"
    tail --lines +1 --follow --pid "$machine" "$work/said" >&2 &
    reader=$!
}

stop_machine() {
    [ -n "$machine" ] || return 0
    kill "$machine" 2>/dev/null || true
    wait "$machine" 2>/dev/null || true
    machine=
}
