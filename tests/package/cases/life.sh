# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# Installed, upgraded, removed, installed again, purged.

new_tree life

check "it installs" told install_deb "$deb"
check "what to do is said" says 'systemctl restart libvirtd'
check "the recommended packages come with it" in_tree dpkg -s qemu-utils glusterfs-client
check_installed "installed"
check "the hook is a conffile" in_tree grep -qxF "$hook" /var/lib/dpkg/info/sf-gluster.conffiles
check "the hook can be run" in_tree "$hook" guest stopped end -
mv "$root$libdir/sf-gluster/sfgluster-qemu-hook" "$root/aside"
printf '#!/nonexistent\n' > "$root$libdir/sf-gluster/sfgluster-qemu-hook"
chmod 755 "$root$libdir/sf-gluster/sfgluster-qemu-hook"
for operation in migrate restore prepare; do
    check "a hook that cannot run lets a guest $operation" in_tree "$hook" guest "$operation" begin -
done
mv "$root/aside" "$root$libdir/sf-gluster/sfgluster-qemu-hook"
cp "$root/usr/share/doc/sf-gluster/examples/srv-shakenfist.mount" "$root/etc/systemd/system/"
check "the mount unit is one" told in_tree systemd-analyze verify --man=no /etc/systemd/system/srv-shakenfist.mount
check "and there is nothing to say about it" refuted says .
rm "$root/etc/systemd/system/srv-shakenfist.mount"
check "the command runs" in_tree sf-gluster --version

check "it installs again" told install_deb "$deb" --reinstall
check "what to do is not said again" refuted says 'systemctl restart libvirtd'
check_installed "installed again"

# libvirt in a version that no module was built for, and back.
abi=$(cd "$root$libdir/sf-gluster" && printf '%s\n' abi-*-backend.so)
for kind in backend file; do
    mv "$root$libdir/sf-gluster/${abi%-backend.so}-$kind.so" "$root$libdir/sf-gluster/abi-1.2.3-$kind.so"
done
check "no module for this libvirt: libvirtd starts" libvirtd_starts
check "no module for this libvirt: by the stock module" served_by "libvirt's stock module"
check "no module for this libvirt: with gluster pools" gluster_pools yes
for kind in backend file; do
    mv "$root$libdir/sf-gluster/abi-1.2.3-$kind.so" "$root$libdir/sf-gluster/${abi%-backend.so}-$kind.so"
done
check_installed "modules back"

echo '# edited' >> "$root$hook"
newer=$(variant newer)
check "it is upgraded" told install_deb "$newer"
check "the edited hook is kept" grep -qx '# edited' "$root$hook"
sed -i '$d' "$root$hook"
check_installed "upgraded"
check "it is downgraded" told install_deb "$deb" --allow-downgrades
check_installed "downgraded"

check "it is removed" told apt remove sf-gluster
check "no folder is complained about" refuted says 'not empty so not removed'
check_gone "removed"
check "the hook stays" test -x "$root$hook"
check "and is in nobody's way" in_tree "$hook" guest prepare begin -

check "it installs where it was removed" told install_deb "$newer"
check_installed "installed where it was removed"
printf '[driver]\nconnect-timeout=10\n' > "$root/etc/libvirt/sf-gluster.conf"
check "it is purged" told apt purge sf-gluster
check_gone "purged"
