# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# libvirt's profiles are as apparmor_parser wants them, with our lines in the local files and without.
# Nothing is loaded: the kernel need not have AppArmor.

new_tree apparmor
lines=/usr/share/sf-gluster/apparmor-lines
local_files() { ( cd "$root/etc/apparmor.d/local" && find . -type f -exec sha256sum {} + | sort ); }

# A guest's profile as virt-aa-helper makes it.
guest_profile() {
    local name=libvirt-7f3a3c0e-52dd-4b1c-9d0e-6a1f50f6f0aa
    sed "s/LIBVIRT_TEMPLATE/$name/" "$root/etc/apparmor.d/libvirt/TEMPLATE.qemu" > "$root/etc/apparmor.d/libvirt/$name"
    parsed "libvirt/$name"
}

# Whether a profile compiles, for a kernel with all that Debian's profiles know of. Its text with all
# that is included is in $work/parsed.
parsed() {
    local parser=(apparmor_parser --skip-kernel-load --skip-cache --base /etc/apparmor.d
        --kernel-features /etc/apparmor.d/abi/3.0)
    in_tree "${parser[@]}" --preprocess "/etc/apparmor.d/$1" > "$work/parsed" &&
        in_tree "${parser[@]}" "/etc/apparmor.d/$1"
}
has_rule() { grep -q -- "$1" "$work/parsed"; }

check "it installs" told install_deb "$deb" --no-install-recommends
for profile in usr.sbin.libvirtd usr.lib.libvirt.virt-aa-helper; do
    check "as installed: $profile" parsed "$profile"
    check "as installed: it has no rules of ours" refuted has_rule sf-gluster/sfgluster
done
check "as installed: a guest's" guest_profile

echo '  /srv/mine r,' | tee "$root/etc/apparmor.d/local/usr.sbin.libvirtd" >/dev/null
printf '  # no end' > "$root/etc/apparmor.d/local/usr.lib.libvirt.virt-aa-helper"
check "the lines are added" in_tree "$lines" add
local_files > "$work/local-added"
check "added again, nothing changes" in_tree "$lines" add
local_files > "$work/local-again"
check "indeed" cmp "$work/local-added" "$work/local-again"
check "added: libvirtd" parsed usr.sbin.libvirtd
check "added: libvirtd runs the hook's program" has_rule sf-gluster/sfgluster-qemu-hook
check "added: libvirtd runs the conversion" has_rule sf-gluster/sfgluster-convert
check "added: what was there stays" has_rule /srv/mine
check "added: virt-aa-helper" parsed usr.lib.libvirt.virt-aa-helper
check "added: virt-aa-helper may use libgfapi" has_rule gfapi.volfile
check "added: a guest's" guest_profile
check "added: a guest may use libgfapi" has_rule gfapi.volfile
check "added: dpkg --verify" dpkg_verifies

check "the package goes, the lines stay" told apt purge sf-gluster
check "without it: libvirtd" parsed usr.sbin.libvirtd
check "without it: virt-aa-helper" parsed usr.lib.libvirt.virt-aa-helper
check "without it: a guest's" guest_profile
check "it comes back" told install_deb "$deb" --no-install-recommends
check "the lines are removed" in_tree "$lines" remove
check "removed: what was there is there" grep -qx '  /srv/mine r,' "$root/etc/apparmor.d/local/usr.sbin.libvirtd"
check "removed: and nothing of ours" refuted grep -rq sf-gluster "$root/etc/apparmor.d/local"
check "removed: libvirtd" parsed usr.sbin.libvirtd
