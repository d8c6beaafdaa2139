# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# README's way from a gluster volume to a guest, as it stands there, on a clean system that has libvirt,
# qemu and a gluster volume; and away again, after which the system is as before.

new_tree walk
mount -t sysfs sysfs "$root/sys"
make_reader
ip address replace 192.0.2.1/32 dev lo
printf '127.0.0.1 localhost\n192.0.2.1 sf-1 sf-2\n' > "$root/etc/hosts"

check "before: a host for guests on gluster" told apt --no-install-recommends install "${host_packages[@]}"
check "before: glusterd runs" systemctl start glusterd
check "before: a gluster volume" in_tree gluster --mode=script volume create shakenfist sf-1:/tmp/brick force
check "before: it is started" in_tree gluster --mode=script volume start shakenfist
check "before: virtlogd runs" systemctl start virtlogd
check "before: libvirtd runs" systemctl start libvirtd
check "before: it has read its filters" in_tree virsh -q nwfilter-list
systemctl stop libvirtd
packages_of_tree > "$work/packages-before"
files_of_tree > "$work/files-before"
systemctl start libvirtd

check "README: install" told typed install
check "the modules are ours" modules_are_ours
check "dpkg --verify" dpkg_verifies
check "README: pool" told typed pool
boot_image /tmp/reader/debian-12-nocloud-amd64.qcow2
check "README: image" told typed image
check "README: guest" told typed guest
check "it runs" [ "$(in_tree virsh domstate demo | head -n 1)" = running ]
check "it boots from its disk" guest_booted demo
check "its disk is a network disk" grep -q "protocol='gluster'" <(in_tree virsh dumpxml demo)
check "README: clean" told typed clean
check "README: remove" told typed remove
check "libvirt's modules are back" modules_are_libvirts
check "libvirtd runs" in_tree virsh -q nwfilter-list
check "dpkg --verify" dpkg_verifies

systemctl stop libvirtd
packages_of_tree > "$work/packages-after"
files_of_tree > "$work/files-after"
check "the same packages as before" diff "$work/packages-before" "$work/packages-after"
check "the same files as before" diff -U0 "$work/files-before" "$work/files-after"
in_tree gluster --mode=script volume stop shakenfist force >/dev/null
for daemon in virtlogd glusterd; do systemctl stop "$daemon"; done
